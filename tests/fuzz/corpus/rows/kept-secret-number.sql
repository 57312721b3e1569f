UPDATE secrets SET sealed = 1.5 WHERE name = 'infobip'
