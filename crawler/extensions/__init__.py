"""What surrounds a crawl, on Scrapy's signals: the run and its lease, site models, stories, watchlists."""
