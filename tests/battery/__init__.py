"""Tests of the pure part of home batteries."""
