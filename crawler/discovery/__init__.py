"""Where articles are found: feeds, sitemaps and section pages become links. Pure."""
