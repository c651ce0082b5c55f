"""What every request passes, outermost first: the headers of every answer, method, password. Hosts are Starlette's own.

Written for ASGI directly, so that streams pass through untouched.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Awaitable, Callable

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

METHODS = ("GET", "HEAD")
LONGEST_ADDRESS = 8000  # bytes of path and query
CSP = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'{pictures}; connect-src 'self'; "
    "manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "X-Robots-Tag": "noindex, nofollow",
}
Failure = Callable[[Request, int, str], Awaitable[Response] | Response]


class SecurityHeaders:
    """Headers of every answer, errors included. A page that was asked for pictures may load them
    (``state.pictures``).
    """

    def __init__(self, app: ASGIApp):
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
                pictures = " https:" if scope.get("state", {}).get("pictures") else ""
                headers["Content-Security-Policy"] = CSP.format(pictures=pictures)
                headers.setdefault("Cache-Control", "private, no-cache")
            await send(message)

        await self.app(scope, receive, with_headers)


class OnlyReading:
    """GET and HEAD, and no address beyond LONGEST_ADDRESS."""

    def __init__(self, app: ASGIApp, failure: Failure):
        self.app = app
        self.failure = failure

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            if scope["method"] not in METHODS:
                await _fail(self.failure, scope, receive, send, 405, "this server only answers GET", Allow="GET, HEAD")
                return
            if len(scope.get("raw_path") or b"") + len(scope["query_string"]) > LONGEST_ADDRESS:
                await _fail(self.failure, scope, receive, send, 414, "the address is too long")
                return
        await self.app(scope, receive, send)


class Password:
    """HTTP Basic with the password behind an argon2 hash, or Bearer with the token; any name will do.

    A password that was right is remembered as a keyed hash for as long as the process lives: argon2 takes its 50 ms
    and 64 MB once, not for every picture. Wrong ones are tried one at a time, which bounds what guessing costs us.
    """

    def __init__(self, app: ASGIApp, failure: Failure, password_hash: str | None, token: str | None):
        self.app = app
        self.failure = failure
        self._hash = password_hash
        self._token = token
        self._key = secrets.token_bytes(32)
        self._right: set[bytes] = set()
        self._hasher = PasswordHasher()
        self._one_at_a_time = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not await self._is_welcome(Headers(scope=scope).get("authorization", "")):
            challenge = 'Basic realm="Nachlese", charset="UTF-8"'
            more = {"WWW-Authenticate": challenge}
            await _fail(self.failure, scope, receive, send, 401, "a password is needed", **more)
            return
        await self.app(scope, receive, send)

    async def _is_welcome(self, authorization: str) -> bool:
        scheme, _, value = authorization.partition(" ")
        if scheme.lower() == "bearer" and self._token:
            return hmac.compare_digest(value.strip().encode(), self._token.encode())
        if scheme.lower() != "basic" or len(value) > 1000:
            return False
        try:
            _, _, password = base64.b64decode(value.strip(), validate=True).partition(b":")
        except (ValueError, binascii.Error):
            return False
        if self._token and hmac.compare_digest(password, self._token.encode()):
            return True
        return bool(self._hash) and await self._is_right(password)

    async def _is_right(self, password: bytes) -> bool:
        seen = hmac.digest(self._key, password, hashlib.sha256)
        if seen in self._right:
            return True
        async with self._one_at_a_time:
            try:
                await asyncio.to_thread(self._hasher.verify, self._hash or "", password)
            except (VerificationError, InvalidHashError):
                return False
        self._right = {seen}
        return True


def hashed(password: str) -> str:
    """What NACHLESE_WEB_PASSWORD_HASH is to be for this password."""
    return PasswordHasher().hash(password)


async def _fail(
    failure: Failure, scope: Scope, receive: Receive, send: Send, status: int, message: str, **headers: str
) -> None:
    made = failure(Request(scope, receive), status, message)
    response = await made if isinstance(made, Awaitable) else made
    for name, value in headers.items():
        response.headers[name] = value
    await response(scope, receive, send)
