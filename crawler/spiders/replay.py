"""Stored pages take every later step of live ones: archive, read, keep."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

from crawler.files import Unreadable
from crawler.spiders.run import RunSpider
from pipelines.flow import Fetched
from pipelines.items import Page


class ReplaySpider(RunSpider):
    """One run over *pages*, one after the other: which of two equal texts is the copy must not be left to chance.

    *archived* says where a page lies in the archive already; such a page is not written there again.
    """

    name = "replay"

    def __init__(self, *args: Any, pages: Iterator[Page | Unreadable], are_archived: bool = False, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.pages = pages
        self.are_archived = are_archived

    async def work(self) -> None:
        while not self.stopping.is_set():
            page = await asyncio.to_thread(next, self.pages, None)  # files are read in it
            if page is None:
                break
            if isinstance(page, Unreadable):
                await self.unreadable(page)
            else:
                await self.through(Fetched(page, self.run, await self.house.rules_for(page)))

    async def unreadable(self, file: Unreadable) -> None:
        store = self.house.store
        self.tell(file.url, await store.reject(self.run, file.url, file.reason, file.detail, source=file.source))
