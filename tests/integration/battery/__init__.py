"""Tests of home batteries in a real Home Assistant."""
