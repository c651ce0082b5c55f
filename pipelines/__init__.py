"""Reads and keeps: the text and database side of Nachlese. A Page comes in, a clean, deduplicated Article row stays."""
