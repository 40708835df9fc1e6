"""Speed and size, as ratios of things measured in the same run. `python -m benchmarks [SUITE...]`.

A suite is a module of this package with a function `main()` that prints its figures. Nothing here
is a test: machines differ, and so do their days.
"""
