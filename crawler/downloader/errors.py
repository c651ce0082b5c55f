"""Why a request has no response, as exceptions, and what each of them means for its page."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import NamedTuple

from scrapy.exceptions import IgnoreRequest, NotSupported, UnsupportedURLSchemeError
from scrapy.http import Response

from crawler.downloader.hosts import HostInBackoff
from crawler.robots import Disallowed, RobotsUnavailable
from pipelines.items import Reason
from pipelines.urls import BadUrl


class FetchError(Exception):
    """No complete response. *detail* is for a person: our own words, nothing that a server could have forged.

    *transient*: asking again later may help. *retry_at*: the time the host named for that. *hops*: redirects before.
    ``unconnected``: it is the host that cannot be reached, not the page. ``is_offline``: this machine reaches no host.
    """

    def __init__(
        self,
        reason: Reason,
        detail: str,
        *,
        transient: bool = False,
        status: int | None = None,
        retry_at: datetime | None = None,
        hops: int = 0,
        unconnected: bool = False,
    ):
        super().__init__(detail)
        self.reason = reason
        self.detail = detail
        self.transient = transient
        self.status = status
        self.retry_at = retry_at
        self.hops = hops
        self.unconnected = unconnected
        self.is_offline = False
        self.unexpected: BaseException | None = None  # an exception that this program has no name for
        self.url = ""  # where it happened, behind redirects; set for who asks for single pages


class NotModified(IgnoreRequest):
    """The response to a conditional request was 304: nothing has changed. No failure."""

    def __init__(self, response: Response):
        super().__init__("304 Not Modified")
        self.response = response


class TurnLost(Exception):
    """The request's turn at its host was over before it could be sent. Nothing was sent; it takes another turn."""


class ShutdownError(Exception):
    """The crawl is ending; the request was given up. The page stays pending as it was."""


class Failure(NamedTuple):
    """What a failed request means for its page.

    ``transient``: reschedule, no sooner than ``retry_at`` if that is set; else reject. ``counts_as_attempt`` is False
    when nothing was asked of the server, so that waiting for a host does not use up a page's attempts. ``unexpected``
    is an exception that nobody foresaw, for the log.
    """

    reason: Reason
    detail: str
    retry_at: datetime | None
    transient: bool
    counts_as_attempt: bool = True
    status: int | None = None
    unexpected: BaseException | None = None


def failure_reason(failure: object) -> Failure:
    """What happened, from an exception or from the Failure that Scrapy hands to an errback."""
    error = getattr(failure, "value", failure)
    match error:
        case FetchError():
            counts, said = not error.is_offline, error.detail
            return Failure(error.reason, said, error.retry_at, error.transient, counts, error.status, error.unexpected)
        case BadUrl():
            return Failure(Reason.BAD_URL, str(error), None, False, False)
        case NotSupported() | UnsupportedURLSchemeError():
            return Failure(Reason.BAD_URL, "only http and https are asked for", None, False, False)
        case Disallowed():
            return Failure(Reason.ROBOTS, str(error), None, False, False)
        case RobotsUnavailable():
            # a page may wait for a site's rules for as long as it takes; a host that is away is away
            was_asked = error.reason is not Reason.ROBOTS or error.is_behind_redirect
            return Failure(error.reason, str(error), error.retry_at, True, was_asked)
        case HostInBackoff():
            reason = Reason.CONNECTION if error.dead else Reason.HTTP_ERROR
            return Failure(reason, str(error), error.retry_at, True, error.is_behind_redirect)
        case ShutdownError() | asyncio.CancelledError():
            return Failure(Reason.CONNECTION, "the crawl was stopped", None, True, False)
        case TimeoutError():
            return Failure(Reason.TIMEOUT, "it took too long", None, True)
        case IgnoreRequest():
            # a middleware of the user's own: it asked for nothing, and the page stays pending
            return Failure(Reason.CONNECTION, f"a middleware gave it up: {one_line(str(error))}", None, True)
        case BaseException():
            said = f"an unexpected {type(error).__name__}"
            return Failure(Reason.CONNECTION, said, None, True, unexpected=error)
        case _:
            return Failure(Reason.CONNECTION, "an unexpected failure", None, True)


def one_line(text: str) -> str:
    """A stranger's word in one of our sentences: short, one line, nothing that moves a cursor."""
    return "".join(sign if sign.isascii() and sign.isprintable() else "?" for sign in text[:80])
