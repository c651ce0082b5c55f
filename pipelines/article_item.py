"""The item that a spider yields for a page, and what ``ItemAdapter`` shows of it: the article."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack
from dataclasses import asdict, dataclass, field, fields, is_dataclass, replace
from datetime import datetime
from types import MappingProxyType
from typing import Any, Protocol

from itemadapter import ItemAdapter
from itemadapter.adapter import AdapterInterface

from pipelines.items import Article, Page, Rejected
from pipelines.reading.rules import Rules
from pipelines.store.models import Archived, PageOutcome, Run
from pipelines.text_features import TextFeatures
from pipelines.workers import ReadPage

_OF_ARTICLE = tuple(one.name for one in fields(Article))
#: what Scrapy's exporters would write in a way of their own: times without their zone, images as Python shows them
_SERIALIZED = frozenset({"fetched_at", "published_at", "modified_at", "image", "removed", "rights"})
#: what a page says of itself before it was read
_OF_PAGE = ("url", "source", "status", "content_type", "fetched_at")


class Waitable(Protocol):
    async def wait(self) -> object: ...


@dataclass(slots=True, weakref_slot=True)
class ArticleItem:
    """A page on its way through the item pipelines: ``archive`` sets ``archived``, ``read`` sets ``article``, ``store``
    sets ``outcome``.

    An item pipeline of your own reads and changes fields by ``ItemAdapter(item)["title"]``, or gives the item another
    ``page`` or ``article`` as a whole. ``headers`` are the response's, for the archive; ``archived`` is set from the
    start where the page comes out of the archive. ``run`` is None where nothing is stored.
    """

    page: Page
    rules: Rules
    run: Run | None = None
    article: Article | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    etag: str | None = None
    last_modified: str | None = None
    ms: int | None = None
    archived: Archived | None = None
    outcome: PageOutcome | None = None
    #: what the store wants to know of the article's words, and the article and page of which it was found
    features: TextFeatures | None = None
    features_are_of: tuple[Article, Page] | None = None
    #: what a reader made of a page when it was asked whether the article goes on, of which page and by which rules
    first_look: tuple[Page, Rules, ReadPage | Rejected] | None = None
    #: what is held as long as the item lives: the place of a large body
    body_slot: Any = None
    held: ExitStack | None = None
    #: of stored pages, which are stored in order: what to wait for, and what to set
    after: Waitable | None = None
    handed_over: asyncio.Event | None = None

    def hold(self, counting: AbstractContextManager[Callable[[int], None]]) -> None:
        """Count the bodies as in flight until ``release``, or until the item is gone."""
        stack = ExitStack()
        stack.enter_context(counting)(len(self.page.body) + sum(len(part.body) for part in self.page.more))
        weakref.finalize(self, stack.close)
        self.held = stack

    def was_read(self, found: ReadPage) -> None:
        """A reader has made an article of the page."""
        self.article, self.features = found
        self.features_are_of = (found.article, self.page)

    @property
    def own_features(self) -> TextFeatures | None:
        """The features, as long as nobody has given the item another article or page since it was read."""
        if self.features_are_of is None:
            return None
        article, page = self.features_are_of
        return self.features if article is self.article and page is self.page else None

    def release(self) -> None:
        """The item has left the pipelines: what was held for it is free."""
        if self.held is not None:
            self.held.close()
        if self.body_slot is not None:
            self.body_slot.release()

    @property
    def url(self) -> str:
        """The address that discovery accepted: under this one the page is pending."""
        return self.page.asked_url or self.page.url

    def __repr__(self) -> str:  # Scrapy writes items into its log; nobody wants the body there
        return f"<ArticleItem {self.url!r} {self.outcome.kind if self.outcome else 'on its way'}>"


def exported(value: Any) -> Any:
    """A value as feed exports write it: times in ISO 8601 with their offset, values of ours as objects."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, tuple):
        return [exported(one) for one in value]
    return asdict(value) if is_dataclass(value) and not isinstance(value, type) else value


_META: MappingProxyType[str, Any] = MappingProxyType({"serializer": exported})


class ArticleItemAdapter(AdapterInterface):
    """The article's fields; before the page was read, those of the page."""

    item: ArticleItem

    @classmethod
    def is_item(cls, item: Any) -> bool:
        return isinstance(item, ArticleItem)

    @classmethod
    def is_item_class(cls, item_class: type) -> bool:
        return issubclass(item_class, ArticleItem)

    @classmethod
    def get_field_names_from_class(cls, item_class: type) -> list[str]:
        return list(_OF_ARTICLE)

    @classmethod
    def get_field_meta_from_class(cls, item_class: type, field_name: str) -> MappingProxyType[str, Any]:
        return _META if field_name in _SERIALIZED else MappingProxyType({})

    def _names(self) -> tuple[str, ...]:
        return _OF_ARTICLE if self.item.article is not None else _OF_PAGE

    def field_names(self) -> Any:
        return dict.fromkeys(self._names()).keys()

    def __getitem__(self, name: str) -> Any:
        if name not in self._names():
            raise KeyError(name)
        return getattr(self.item.article or self.item.page, name)

    def __setitem__(self, name: str, value: Any) -> None:
        """A field of an article can be changed; there are no others."""
        if name not in self._names():
            raise KeyError(f"an article has no field {name!r}; it has {', '.join(self._names())}")
        if self.item.article is not None:
            self.item.article = replace(self.item.article, **{name: value})
        else:
            self.item.page = replace(self.item.page, **{name: value})

    def __delitem__(self, name: str) -> None:
        raise KeyError(f"an article has all its fields; set {name!r} to None instead")

    def __iter__(self) -> Iterator[str]:
        return iter(self._names())

    def __len__(self) -> int:
        return len(self._names())


if ArticleItemAdapter not in ItemAdapter.ADAPTER_CLASSES:
    ItemAdapter.ADAPTER_CLASSES = (ArticleItemAdapter, *ItemAdapter.ADAPTER_CLASSES)
