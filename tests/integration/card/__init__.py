"""Tests of what the card draws, and of how it gets to the browser."""
