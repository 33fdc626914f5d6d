"""Tests of the meaning of prices."""
