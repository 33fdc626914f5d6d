"""Tests of the integration and what belongs to it."""
