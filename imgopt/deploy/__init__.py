"""Files that say how an image is run: written from what its run showed, checked, tried."""
