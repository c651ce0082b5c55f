"""Signals of ours, beside Scrapy's: extensions of the user's own connect to them in the same way."""

from __future__ import annotations

#: a run has begun: ``run`` (pipelines.store.Run), ``spider``. The spider starts when all handlers are done.
run_opened = object()
#: a run has ended and its outcome is recorded: ``report`` (crawler.reports.RunReport), ``spider``
run_closed = object()
