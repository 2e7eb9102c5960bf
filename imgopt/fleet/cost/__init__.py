"""The cost model: values in, values out. `model.py` has the formulas, `parameters.toml` each figure
they need with its unit, default and source; `sources.py` is the only module that reads anything."""
