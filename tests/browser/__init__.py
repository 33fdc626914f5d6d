"""What a customer sees: the real frontend of a real Home Assistant, in a real browser."""
