"""Tests of the client: they need JSON and HTTP, and no Home Assistant."""
