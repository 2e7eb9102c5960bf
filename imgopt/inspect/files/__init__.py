"""Which files are the application's, which are a tool's own, and whether two are the same."""
