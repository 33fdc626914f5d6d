"""Tests of the wire: they know JSON and HTTP, and no Home Assistant."""
