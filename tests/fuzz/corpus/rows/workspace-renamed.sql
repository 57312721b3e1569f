UPDATE workspaces SET workspace = 'other'
