UPDATE previous SET secret_versions = '{"api_key":1e999}'
