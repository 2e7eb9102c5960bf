"""A program that only hands out files: which files, and how it answers for each kind."""
