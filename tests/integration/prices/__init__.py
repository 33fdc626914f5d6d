"""Tests of prices: when they are requested, how they are stored and shown."""
