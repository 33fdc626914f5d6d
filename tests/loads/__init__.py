"""Tests of loads without Home Assistant."""
