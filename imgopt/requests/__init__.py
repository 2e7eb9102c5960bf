"""Requests that a service is sent: the user's own, read from files, or made from what a service
says of itself."""
