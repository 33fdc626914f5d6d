"""Tests of flexible loads."""
