"""What an image is for a run: its files, loader, users, programs, packages, and what its sources
name."""
