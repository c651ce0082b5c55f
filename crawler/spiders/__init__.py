"""The spiders: one that serves every source file, one for stored pages, and what they share."""
