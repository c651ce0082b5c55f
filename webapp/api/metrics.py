"""``/metrics``: what Prometheus asks for, from schema ``news``."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from pipelines import metrics as prometheus
from webapp.pages.common import reader_of
from webapp.reader import News, Row

KEPT = 10  # seconds: several Prometheus servers ask no oftener than one would


async def metrics(request: Request) -> Response:
    """Runs, articles, rejections, pending pages, delays, queue, alarms and the memory of this server."""
    rows = await reader_of(request).kept("metrics", KEPT, _rows)
    response = Response(prometheus.exposition(rows), headers={"Cache-Control": "no-store"})
    response.headers["Content-Type"] = prometheus.CONTENT_TYPE
    return response


async def _rows(news: News) -> dict[str, list[Row]]:
    return {name: await news.rows(statement) for name, statement in prometheus.STATEMENTS.items()}
