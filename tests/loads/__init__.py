"""Tests of loads, without a hub."""
