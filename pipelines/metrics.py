"""Metrics for Prometheus, from rows of schema ``news``. Pure but for the memory of this process.

The only module that imports prometheus_client. ``STATEMENTS`` are what the rows come from: whoever has a connection
asks them, the schedule for its file and ``nachlese web`` for ``/metrics``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import psutil
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
Row = Mapping[str, Any]

STATEMENTS = {
    "sources": "SELECT name AS source, articles, pending, extract(epoch FROM last_run_ended_at) AS last_run, "
    "extract(epoch FROM last_article_at) AS last_article, "
    "60 * minutes_until_found AS delay FROM news.sources ORDER BY name",
    "runs": "SELECT coalesce(source, kind) AS source, outcome, sum(runs) AS number, "
    "extract(epoch FROM sum(took)) AS seconds FROM news.run_totals GROUP BY 1, 2 ORDER BY 1, 2",
    "rejections": "SELECT source, reason, count(*) AS number FROM news.rejections GROUP BY 1, 2 ORDER BY 1, 2",
    "alarms": "SELECT source, measure, 1 AS number FROM news.alarms WHERE closed_at IS NULL ORDER BY 1, 2",
    "queue": "SELECT count(*) AS number, coalesce(extract(epoch FROM now() - min(next_attempt_at)), 0) AS age "
    "FROM news.pending WHERE next_attempt_at <= now()",
}


class Rows(Collector):
    """What the rows say, as Prometheus wants it."""

    def __init__(self, rows: Mapping[str, Sequence[Row]], memory: int):
        self.rows, self.memory = rows, memory

    def collect(self) -> Iterable[Metric]:
        rows = self.rows
        yield counter("nachlese_runs", "Runs of a source that have ended, by outcome.",
                      ("source", "outcome"), rows["runs"], "number")  # fmt: skip
        yield counter("nachlese_run_seconds", "Seconds that the runs of a source took together.",
                      ("source", "outcome"), rows["runs"], "seconds")  # fmt: skip
        yield gauge("nachlese_articles", "Articles stored of a source, copies included.", ("source",),
                    rows["sources"], "articles")  # fmt: skip
        yield gauge("nachlese_rejections", "Pages of a source that are no article, by reason.", ("source", "reason"),
                    rows["rejections"], "number")  # fmt: skip
        yield gauge("nachlese_pending", "Pages of a source that have no outcome yet.", ("source",), rows["sources"],
                    "pending")  # fmt: skip
        yield gauge("nachlese_delay_seconds", "Median time from publication to discovery, latest articles.",
                    ("source",), rows["sources"], "delay")  # fmt: skip
        yield gauge("nachlese_alarm", "1 for each open alarm of a source, by measure.", ("source", "measure"),
                    rows["alarms"], "number")  # fmt: skip
        yield gauge("nachlese_last_run_timestamp_seconds", "When the last run of a source ended.", ("source",),
                    rows["sources"], "last_run")  # fmt: skip
        yield gauge("nachlese_last_article_timestamp_seconds", "When the latest article of a source was found.",
                    ("source",), rows["sources"], "last_article")  # fmt: skip
        yield gauge("nachlese_queue_due", "Pages of all sources that are due now.", (), rows["queue"], "number")
        yield gauge("nachlese_queue_age_seconds", "How long the oldest of them has been due.", (), rows["queue"], "age")
        memory = GaugeMetricFamily("nachlese_memory_bytes", "Resident memory of this process and those it has started.")
        memory.add_metric([], self.memory)
        yield memory


def counter(name: str, about: str, labels: Sequence[str], rows: Sequence[Row], value: str) -> Metric:
    return filled(CounterMetricFamily(name, about, labels=labels), labels, rows, value)


def gauge(name: str, about: str, labels: Sequence[str], rows: Sequence[Row], value: str) -> Metric:
    return filled(GaugeMetricFamily(name, about, labels=labels), labels, rows, value)


def filled(metric: Any, labels: Sequence[str], rows: Sequence[Row], value: str) -> Metric:
    for row in rows:
        if row[value] is not None:
            metric.add_metric([str(row[label]) for label in labels], float(row[value]))
    found: Metric = metric
    return found


def exposition(rows: Mapping[str, Sequence[Row]]) -> bytes:
    """The rows of STATEMENTS in Prometheus's text format."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Rows(rows, resident_memory()))
    return generate_latest(registry)


def resident_memory() -> int:
    """Bytes; a process that has just ended counts nothing."""
    total = 0
    me = psutil.Process()
    for process in (me, *me.children(recursive=True)):
        try:
            total += process.memory_info().rss
        except psutil.Error:
            continue
    return total
