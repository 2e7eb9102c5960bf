"""Where package managers keep their caches, and who still reads what they leave."""
