"""What an image starts: the words, the launchers in front, the scripts, and what they hand on."""
