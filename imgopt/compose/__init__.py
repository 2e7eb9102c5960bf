"""Compose and Bake files: how a project's images are built, and what runs beside a service."""
