"""A web of many hosts that publish by the clock, and that writes down every request it gets:

    python -m benchmarks.publishing_web PLAN

PLAN is a JSON file (``Plan``). Each line of the log is the moment of a request in seconds of the machine's monotonic
clock, which all processes on it share, the host, the path and the address of who asked, with tabs between them. It is
a process of its own and goes before others, so that what it notes is when a request came.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

WORDS = (
    "Der Gemeinderat hat am Abend nach langer Debatte beschlossen, die alte Brücke über den Bach zu erneuern. "
    "Die Arbeiten sollen im Frühjahr beginnen und rund ein halbes Jahr dauern, wie die Bürgermeisterin mitteilte. "
)


@dataclass(frozen=True)
class Plan:
    """What is published when. ``sources``: (host, name, seconds between two articles). Times are monotonic seconds.

    Each feed shows its latest ``window`` articles. The web listens at ``address``, port 80, and writes ``log``.
    """

    address: str
    log: str
    begin: float
    end: float
    window: int
    sources: list[tuple[str, str, float]]

    def published(self, number: int, now: float) -> int:
        """How many articles source *number* has published by *now*. They begin at different moments."""
        every = self.sources[number][2]
        first = self.published_at(number, 0)
        return max(0, int((min(now, self.end) - first) // every) + 1) if now >= first else 0

    def url(self, number: int, article: int) -> str:
        host, name, _ = self.sources[number]
        return f"http://{host}/{name}/{article}"

    def published_at(self, number: int, article: int) -> float:
        every = self.sources[number][2]
        return self.begin + every * ((number * 0.618) % 1.0 + article)


def feed(plan: Plan, number: int, now: float) -> str:
    last = plan.published(number, now)
    shown = range(last - 1, max(-1, last - 1 - plan.window), -1)
    items = "".join(f"<item><link>{plan.url(number, article)}</link></item>" for article in shown)
    return f'<rss version="2.0"><channel><title>{plan.sources[number][1]}</title>{items}</channel></rss>'


def article(name: str, number: int) -> str:
    """One whose words are mostly its own, so that it is no copy of another one."""
    mine = f"{name.replace(' ', '')}{number}"
    own = " ".join(f"Balken {mine}-{n} trägt Pfeiler {mine}-{n} über Fluss {mine}-{n}." for n in range(60))
    text = "".join(f"<p>{WORDS} Absatz {part} zu Nummer {number}, {name}.</p>" for part in range(3))
    return (
        f'<!DOCTYPE html><html lang="de"><head><title>{name}: Brücke {number} wird erneuert</title>'
        '<meta property="og:type" content="article"></head>'
        f"<body><article><h1>{name}: Brücke {number} wird erneuert</h1><p>{own}</p>{text}</article></body></html>"
    )


class Web:
    """All the hosts."""

    def __init__(self, plan: Plan, log: TextIO):
        self.plan, self.log = plan, log
        self.numbers = {(host, name): number for number, (host, name, _) in enumerate(plan.sources)}

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 60)
            now = time.monotonic()
            first, *lines = head.decode("latin-1").split("\r\n")
            path = first.split(" ")[1]
            host = next((line[5:].strip() for line in lines if line.lower().startswith("host:")), "")
            self.log.write(f"{now:.4f}\t{host}\t{path}\t{writer.get_extra_info('peername')[0]}\n")
            status, kind, text = self.answer(host, path, now)
            body = text.encode()
            writer.write(
                f"HTTP/1.1 {status}\r\nContent-Type: {kind}; charset=utf-8\r\nContent-Length: {len(body)}\r\n"
                "Connection: close\r\n\r\n".encode()
                + body
            )
            await writer.drain()
        except (OSError, asyncio.IncompleteReadError, TimeoutError):
            pass  # who asked was killed, frozen or cut off
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    def answer(self, host: str, path: str, now: float) -> tuple[str, str, str]:
        name, _, what = path.strip("/").partition("/")
        number = self.numbers.get((host, name))
        if number is not None and what == "feed.xml":
            return "200 OK", "application/rss+xml", feed(self.plan, number, now)
        if number is not None and what.isdigit() and int(what) < self.plan.published(number, now):
            return "200 OK", "text/html", article(f"{name} {host.partition('.')[0]}", int(what))
        return "404 Not Found", "text/plain", ""


async def serve(plan: Plan, log: TextIO) -> None:
    web = await asyncio.start_server(Web(plan, log).connected, plan.address, 80, backlog=512)
    print("ready", flush=True)
    await web.serve_forever()


if __name__ == "__main__":
    with suppress(OSError):
        os.nice(-15)
    stated = Plan(**json.loads(Path(sys.argv[1]).read_text()))
    with suppress(KeyboardInterrupt), Path(stated.log).open("w", buffering=1, encoding="utf-8") as file:
        asyncio.run(serve(stated, file))
