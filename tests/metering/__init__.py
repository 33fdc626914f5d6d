"""Tests of the meaning of usage."""
