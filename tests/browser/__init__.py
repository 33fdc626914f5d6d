"""Tests of what a customer sees: the frontend of a real Home Assistant in a real browser."""
