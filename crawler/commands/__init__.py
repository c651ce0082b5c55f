"""Commands of ``scrapy`` in this project, where they differ from Scrapy's own."""
