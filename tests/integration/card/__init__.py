"""Tests of the data for the card, and of how the card gets to the browser."""
