UPDATE previous SET version = '{'
