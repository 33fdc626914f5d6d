"""The outlook for the next days: the need of the house, its solar power, and what feeding in pays."""
