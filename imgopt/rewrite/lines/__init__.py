"""Lines of a Dockerfile and words of a shell: read as the author wrote them, written in his layout."""
