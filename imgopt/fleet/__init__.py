"""Many images at once: what a registry holds and shares, and what its images cost on nodes."""
