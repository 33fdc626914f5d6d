"""Tests of the integration in a real Home Assistant core against the simulator."""
