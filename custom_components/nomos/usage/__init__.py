"""What was metered: fetched, priced and written to the long-term statistics."""
