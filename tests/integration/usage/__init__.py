"""Tests of the sensors of usage."""
