UPDATE records SET name = x'ff00' WHERE name = 'twilio'
