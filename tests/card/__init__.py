"""Tests of the card without a browser."""
