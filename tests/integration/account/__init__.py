"""Tests of the account: linking, tokens, contracts, requests."""
