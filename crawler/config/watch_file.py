"""``watch/NAME.toml``: what somebody wants to be told of."""

from __future__ import annotations

from pydantic import Field, PrivateAttr, model_validator

from crawler.config.table import Table
from crawler.config.values import (
    Allowed,
    Language,
    SearchWords,
    WebAddress,
)


class Watch(Table):
    """``config/watch/NAME.toml``: what somebody wants to be notified about. An article matches with any word or
    phrase."""

    title: str = Field(min_length=1, max_length=200, description="The name people know.")
    words: list[SearchWords] = Field(
        default_factory=list, max_length=200, description="Words; of an entry with several, all are wanted."
    )
    phrases: list[SearchWords] = Field(default_factory=list, max_length=200, description="Words in this order.")
    without: list[SearchWords] = Field(
        default_factory=list, max_length=200, description="An article with one of these does not match."
    )
    sources: list[str] = Field(default_factory=list, max_length=500, description="Only these sources; unset: all.")
    languages: list[Language] = Field(default_factory=list, max_length=50, description="Only these; unset: all.")
    webhook: WebAddress | None = Field(None, description="Where matches are sent as JSON.")
    allow_addresses: list[Allowed] = Field(
        default_factory=list,
        max_length=50,
        description='Private address ranges that the webhook may be in, such as "10.1.2.3/32:8080".',
    )

    _name: str = PrivateAttr("")

    @property
    def name(self) -> str:
        """The file's name without ``.toml``."""
        return self._name

    @model_validator(mode="after")
    def something_to_look_for(self) -> Watch:
        if not (self.words or self.phrases):
            raise ValueError("names nothing to look for; give at least one of words, phrases")
        return self

    def wanted(self) -> str:
        """What an article must have, as ``news.search`` understands it."""
        return " or ".join([*(_all_of(entry) for entry in self.words), *(f'"{entry}"' for entry in self.phrases)])

    def unwanted(self) -> str:
        return " or ".join(f'"{entry}"' for entry in self.without)

    def bound(self, name: str) -> Watch:
        copy = self.model_copy()
        copy._name = name
        return copy


def _all_of(entry: str) -> str:
    """Each word in quotation marks: 'or' is then a word like any other."""
    return " ".join(f'"{word}"' for word in entry.split())
