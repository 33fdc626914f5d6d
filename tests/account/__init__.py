"""Tests of the account that need no hub."""
