"""Tests of the card's modules without a browser."""
