"""Tests of the recipes with the real programs; scripts/test-clients installs these and runs the tests."""
