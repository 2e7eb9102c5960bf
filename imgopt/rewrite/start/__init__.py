"""What the image starts: the words, the launcher behind them, the program that runs at the end."""
