"""How an image's bytes should lie in layers, for the least bytes that move to a node in a month."""
