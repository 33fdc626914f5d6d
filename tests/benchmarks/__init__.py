"""Tests of what is counted in benchmarks: growth with the number of intervals, imports."""
