"""The price card: what it draws, and how it gets to the browser."""
