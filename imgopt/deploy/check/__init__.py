"""Kubernetes and Compose files held against rules, and against the image that they run."""
