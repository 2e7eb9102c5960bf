"""What a run time takes under the limits that a container will have, and what may be set for it."""
