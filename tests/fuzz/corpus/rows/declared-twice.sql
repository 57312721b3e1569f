UPDATE records SET declared = '{},{}' WHERE name = 'twilio'
