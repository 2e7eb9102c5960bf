"""The order of steps: what reads what, what may pass what, what is fetched first."""
