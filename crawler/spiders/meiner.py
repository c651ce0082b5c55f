import scrapy


class MeinerSpider(scrapy.Spider):
    name = "meiner"
    allowed_domains = ["127.0.0.1:33129"]
    start_urls = ["http://127.0.0.1:33129"]

    def parse(self, response):
        pass
