"""Tests of prices: when they are asked for, how they are kept and shown."""
