"""One linked account: the connection to Nomos, its contracts and their tariffs."""
