"""Tests of price tables, days, levels and periods."""
