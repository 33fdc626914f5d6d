"""What is expected of the next days: the need of the house, its solar power, and what feeding in pays."""
