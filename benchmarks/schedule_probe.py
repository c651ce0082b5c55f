"""One process with a schedule of many sources: what a poll that finds nothing new costs, and what memory it takes.

    python -m benchmarks.schedule_probe --sources 1000 --polls 200

Started by ``benchmarks.throughput``, once for each number of sources. The sources' feeds are served by a process of its
own, which answers 304 to all that asks with a condition. The scheduler has its jobs; its clock stands still, and slots
are given to it in turn as that clock would, so that an hour takes as long as its polls take. Prints one JSON object.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from aiohttp import web

SOURCE = """title = "Source {number}"
homepage = "{base}/"
language = "de"

[discover]
feeds = ["{base}/{number}/feed.xml"]

[fetch]
delay = "0 seconds"
allow_addresses = ["127.0.0.0/8"]
"""
SETTINGS = '[politeness]\njitter = "0 seconds"\n\n[crawl]\nreaders = 1\n'
#: an entry a feed, of a page that is not there: the first poll of a source asks for it, the next ones find nothing new
FEED = '<rss version="2.0"><channel><title>x</title><item><title>A</title><link>{link}</link></item></channel></rss>'


async def _feed(request: web.Request) -> web.Response:
    if "If-None-Match" in request.headers:
        return web.Response(status=304, headers={"ETag": '"1"'})
    link = f"http://{request.host}/{request.match_info['number']}/gone.html"
    return web.Response(text=FEED.format(link=link), content_type="application/rss+xml", headers={"ETag": '"1"'})


def _serve() -> None:
    """The feeds, on a port of the system's choice, which is printed."""

    async def main() -> None:
        application = web.Application()
        application.router.add_get("/{number}/feed.xml", _feed)
        runner = web.AppRunner(application)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        print(site._server.sockets[0].getsockname()[1], flush=True)  # type: ignore[union-attr]
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)  # until the parent is gone

    asyncio.run(main())


def _configuration(folder: Path, sources: int, port: int) -> None:
    (folder / "sources").mkdir(parents=True)
    (folder / "settings.toml").write_text(SETTINGS)
    for number in range(sources):
        text = SOURCE.format(number=number, base=f"http://127.0.0.1:{port}")
        (folder / "sources" / f"s{number}.toml").write_text(text)


def _resident() -> float:
    """MB of memory that this process has now."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


async def _probe(folder: Path, polls: int) -> dict[str, Any]:
    from crawler import config
    from crawler.cli.common import YOUNG_OBJECTS
    from crawler.runs import crawl_source
    from crawler.schedule import Scheduler
    from crawler.services import open_services

    gc.set_threshold(YOUNG_OBJECTS)  # as the command does
    configuration = config.load(folder)
    names = list(configuration.sources)
    asked = names[: max(1, min(len(names), polls // 2))]  # each of them at least twice
    async with open_services(configuration) as services:
        scheduler = Scheduler(services)
        scheduler.clock.start(paused=True)
        scheduler.set_jobs()
        slot = datetime.now(UTC).replace(microsecond=0) - timedelta(days=1)
        for name in asked:  # the first poll of a source: robots.txt, the feed, its page
            await crawl_source(services, name, slot)
        gc.collect()
        begun, costs, outcomes = _resident(), [], set()
        for number in range(polls):
            slot += timedelta(seconds=900 / len(asked))
            before = time.process_time()
            report = await crawl_source(services, asked[number % len(asked)], slot)
            costs.append(1000 * (time.process_time() - before))
            outcomes.add(report.outcome)
        gc.collect()
        ended = _resident()
        scheduler.clock.shutdown(wait=False)
    return {
        "poll_ms": statistics.median(costs), "poll_mean_ms": statistics.mean(costs), "outcomes": sorted(outcomes),
        "memory_mb": ended, "growth_kb_a_poll": 1000 * (ended - begun) / polls,
    }  # fmt: skip


def main() -> None:
    if sys.argv[1:] == ["--serve"]:
        return _serve()
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--sources", type=int, default=1000)
    parser.add_argument("--polls", type=int, default=200)
    chosen = parser.parse_args()
    command = [sys.executable, "-m", "benchmarks.schedule_probe", "--serve"]
    with (
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server,
        tempfile.TemporaryDirectory(prefix="nachlese-schedule-") as folder,
    ):
        assert server.stdout is not None
        os.environ["NACHLESE_HOME"] = folder
        _configuration(Path(folder) / "config", chosen.sources, int(server.stdout.readline()))
        print(json.dumps({"sources": chosen.sources, **asyncio.run(_probe(Path(folder) / "config", chosen.polls))}))
    return None


if __name__ == "__main__":
    main()
