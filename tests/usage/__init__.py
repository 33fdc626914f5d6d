"""Tests of usage, day by day and month by month."""
