"""What an ignore file keeps out of the build, and who would miss it."""
