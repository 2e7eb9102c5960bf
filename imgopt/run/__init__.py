"""Running an image and watching it: start, probes, opened files, listening sockets, logs, stop."""
