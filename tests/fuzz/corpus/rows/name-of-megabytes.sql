UPDATE records SET name = zeroblob(20000000) WHERE name = 'twilio'
