"""Kubernetes from a plan: objects once, laid out as Kustomize base and overlays, or as a chart."""
