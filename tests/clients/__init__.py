"""Tests of the recipes with the programs that they are for; scripts/test-clients installs these and runs the tests."""
