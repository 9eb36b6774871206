"""Benchmarks of the whole system. This package imports nothing, so that a measurement can patch the library first."""
