"""Tests of counts that benchmarks print: growth with the number of intervals, imports, objects."""
