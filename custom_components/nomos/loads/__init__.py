"""Loads: things that may run when electricity is cheap, and their plans."""
