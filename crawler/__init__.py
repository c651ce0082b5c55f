"""Finds and fetches: the web side of Nachlese. It yields a Page and knows nothing of Postgres tables."""
