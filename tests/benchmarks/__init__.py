"""Tests of benchmarks: growth with the number of intervals, imports, objects."""
