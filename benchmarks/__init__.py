"""Benchmarks of what we claim about speed and size."""
