"""Which cookie a consent wall waits for, where the page says it. Pure; asked only for pages that are such a wall."""

from __future__ import annotations

import re

from pipelines.items import Reason, Rejected

LONGEST = 300_000  # characters of a page that are searched
MOST = 3

_NAME = r"([A-Za-z][\w.-]{1,60})"
# what a script writes or looks for, in the order in which it tells the most
_SAID = (
    re.compile(rf"document\.cookie\s{{0,5}}=\s{{0,5}}[\"'`]{_NAME}="),
    re.compile(rf"(?:set_?cookie|cookies?\.set)\s{{0,5}}\(\s{{0,5}}[\"'`]{_NAME}[\"'`]", re.I),
    re.compile(rf"document\.cookie\.(?:indexOf|includes|match|search)\(\s{{0,5}}[\"'`/]{_NAME}"),
    re.compile(rf"(?:get_?cookie|has_?cookie|cookies?\.get)\s{{0,5}}\(\s{{0,5}}[\"'`]{_NAME}[\"'`]", re.I),
    re.compile(rf"data-(?:consent-)?cookie(?:-name)?\s{{0,5}}=\s{{0,5}}[\"']{_NAME}[\"']", re.I),
    re.compile(rf"[\"']?cookie_?name[\"']?\s{{0,5}}[:=]\s{{0,5}}[\"'`]{_NAME}[\"'`]", re.I),
)
# providers of walls, by what their pages load, and the cookie in which they keep the answer
_PROVIDERS = (
    ("sourcepoint|sp-prod|privacy-mgmt", "consentUUID"),
    ("didomi", "didomi_token"),
    ("onetrust|cookielaw", "OptanonConsent"),
    ("cookiebot", "CookieConsent"),
    ("usercentrics", "uc_user_interaction"),
    ("consentmanager", "__cmpconsent"),
)
_SCRIPT = re.compile(r"<script[^>]{0,400}src\s{0,5}=\s{0,5}[\"']([^\"']{1,400})", re.I)


def cookies_in(html: str) -> tuple[str, ...]:
    """The names of cookies that the page writes or looks for itself; else the one of the provider that it loads."""
    html = html[:LONGEST]
    names = dict.fromkeys(name for pattern in _SAID for name in pattern.findall(html))
    if not names:
        loaded = " ".join(_SCRIPT.findall(html)).lower()
        names = dict.fromkeys(name for words, name in _PROVIDERS if re.search(words, loaded))
    return tuple(names)[:MOST]


def explained(rejected: Rejected, body: bytes) -> Rejected:
    """The same rejection; of a consent wall with the cookie that it waits for."""
    if rejected.reason != Reason.CONSENT_WALL:
        return rejected
    names = cookies_in(body[:LONGEST].decode("latin-1"))
    if not names:
        return rejected
    said = f"waits for the cookie {' or '.join(names)}"
    return Rejected(rejected.reason, f"{rejected.detail}; {said}" if rejected.detail else said)
