"""The signs by which a page is judged."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from pipelines.reading.body.blocks import plain


@dataclass(frozen=True)
class Signs:
    """What the tree tells about the page as a whole, taken before anything is pruned from it.

    ``links_say`` are the texts of links to other pages of the site, headlines mostly, ``below_links`` what stands right
    below a linked headline. Few judgements ask for them, so their letters are compared only then.
    """

    scripts: int = 0
    password_fields: int = 0
    linked_headings: int = 0
    links: int = 0
    videos: int = 0
    needs_script: bool = False
    links_say: tuple[str, ...] = ()
    below_links: tuple[str, ...] = ()
    posts: int = 0  # parts with a linked headline of their own and a long paragraph each
    paragraphs_beside: int = 0  # long ones that stand in none of them
    in_posts: frozenset[str] = frozenset()  # the letters of those that do

    @cached_property
    def linked(self) -> tuple[str, ...]:
        """The letters of what links say, each once."""
        return tuple(dict.fromkeys(map(plain, self.links_say)))

    @cached_property
    def teasers(self) -> frozenset[str]:
        """The letters of what stands below linked headlines."""
        return frozenset(map(plain, self.below_links))
