"""Lines of a Dockerfile and words of a shell: read, and written in the author's layout."""
