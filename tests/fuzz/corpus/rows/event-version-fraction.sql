UPDATE events SET version = 1.5 WHERE row_hash <> ''
