"""The last stage: which paths of the original go into it, on which base, owned by whom."""
