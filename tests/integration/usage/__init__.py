"""Tests of usage as sensors."""
