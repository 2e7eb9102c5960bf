"""Compose files from a plan: a base, what development adds, what production adds."""
