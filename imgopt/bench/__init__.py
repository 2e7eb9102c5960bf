"""Two or more Dockerfiles side by side: exact bytes, and times that are claimed only where an exact
test allows it.

>>> from imgopt.bench.statistics import compare
>>> compare([10.0, 10.2, 9.9, 10.1, 10.0, 9.8], [5.0, 5.1, 4.9, 5.0, 5.2, 5.1]).verdict
'faster'

`run.Bench` measures in a session, `arms` says what, `statistics` what may be said; the result is
`imgopt/bench/1`.
"""
