"""Every question to schema ``news``: one function each, given a ``reader.News``, answering with rows as dictionaries.

Lists are asked for by page: ``Page(size, after)``, where ``after`` is the cursor that the last row of the page before
gives. Statements are made of constant pieces; what a reader typed travels as a parameter.
"""

from webapp.queries import articles, changes, database, explain, search, sources, stories, texts, watchlists

__all__ = ["articles", "changes", "database", "explain", "search", "sources", "stories", "texts", "watchlists"]
