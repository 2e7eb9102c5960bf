"""Reading a registry: manifests and configurations first, then each blob once."""
