"""Objects of any type, looked up by criteria: one of them, all of them, or one to delete."""
