DELETE FROM secrets WHERE name = 'twilio'
