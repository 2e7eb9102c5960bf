"""The checks of the proof, one module each: what is compared, and what refutes."""
