"""The prices of a contract: fetched, kept, shown and handed to other programs."""
