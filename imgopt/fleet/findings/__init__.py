"""What many images together waste, each with the command that mends it."""
