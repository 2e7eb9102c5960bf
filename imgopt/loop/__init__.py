"""The optimize loop: evidence, plan, variant, build, proof, repair, comparison.

`run.optimize` is its door; what only plans (`static`) loads nothing of the rest.
"""
