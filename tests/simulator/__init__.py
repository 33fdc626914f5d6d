"""Tests of the simulated Nomos."""
