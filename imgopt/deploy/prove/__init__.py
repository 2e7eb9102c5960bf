"""Files tried on real parts: schemas, an API server's strict dry run, nodes."""
