"""The item pipelines one after the other, as Scrapy calls them; no page is lost in one of them without a word."""

from __future__ import annotations

from typing import Any

from scrapy.crawler import Crawler
from scrapy.pipelines import ItemPipelineManager
from scrapy.utils.python import global_object_name

from crawler.frontier import Frontier, frontier_of
from pipelines.article_item import ArticleItem
from pipelines.item_pipelines import RejectedItem
from pipelines.items import Reason


class ItemProcessor(ItemPipelineManager):
    """ITEM_PROCESSOR. A page's item must be given back by each pipeline until it is stored; what comes after that may
    make of it what it likes, for feed exports. Items of other kinds go as in Scrapy."""

    def __init__(self, *pipelines: Any, crawler: Crawler | None = None):
        super().__init__(*pipelines, crawler=crawler)
        # one for each pipeline: Scrapy's own takes an item through all of them, and says nothing in between
        self._each = [ItemPipelineManager(one, crawler=crawler) for one in pipelines]

    async def process_item_async(self, item: Any) -> Any:
        """Raises what the pipelines raise, and RejectedItem where one loses a page."""
        frontier = frontier_of(self.crawler) if self.crawler is not None else None
        if frontier is None or not isinstance(item, ArticleItem):
            return await super().process_item_async(item)
        given: Any = item
        for one in self._each:
            given = await one.process_item_async(given)
            if given is not item and item.outcome is None:
                raise RejectedItem(Reason.PIPELINE, frontier.lost_in(name_of(one), given))
        if given is not item:  # RunExtension gets to see the other object
            scraped(item, frontier)
        return given


def name_of(manager: ItemPipelineManager) -> str:
    return global_object_name(type(manager.middlewares[0]))


def scraped(item: ArticleItem, frontier: Frontier) -> None:
    """The page's item has come through all pipelines."""
    if item.outcome is not None:
        frontier.ended(item.url, item.outcome)
    else:
        frontier.released(item.url)
    handed_over(item, frontier)


def handed_over(item: ArticleItem, frontier: Frontier) -> None:
    """Stored pages go on in order: the next one may be stored."""
    frontier.item_ended()
    if item.handed_over is not None:
        item.handed_over.set()
    item.release()
