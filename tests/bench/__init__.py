"""Benchmarks: our pipeline beside stock nameko, in one run. Imports nothing, as what measures has to be green first."""
