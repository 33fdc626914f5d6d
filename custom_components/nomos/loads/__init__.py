"""Loads: what may run when electricity is cheap, and when it does."""
