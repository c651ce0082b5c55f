"""What a person is told where an address gives no source, and what can be done about it. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from crawler.config.values import literal_address
from crawler.downloader.errors import Failure
from crawler.probing.documents import Choice
from crawler.probing.findings import Home, Sampled
from pipelines.items import Reason


def leads_elsewhere(url: str, at: str) -> str:
    return (
        f"{url} leads to {at}, which is no public address, and is not asked for that reason. Where you mean it: "
        f"--allow-address RANGE, such as --allow-address {next(map(str, literal_address(at)), 'ADDRESS/32:PORT')}"
    )


def cannot_be_had(url: str, failure: Failure, asked: str) -> str:
    said = f"{url} cannot be had: {failure.detail}"
    if failure.reason is Reason.BLOCKED_ADDRESS:
        return f'{said}. A site of your own network: --allow-address "127.0.0.1/32:8080", with its address and port'
    if failure.reason is Reason.DNS:
        return f"{said}. Is it spelt right?"
    if failure.status in (404, 410):
        return f"{said}. Give the address of the site's first page, or of a feed"
    return f"{said}. Nothing was written; try it again later"


def nothing_found(url: str, home: Home, choice: Choice) -> str:
    """Why there is no source: what stands before the site, and what was looked at in vain."""
    tried = len(choice.left_out)
    if home.wall is not None:
        return f"{url}: {wall_sentence(home.wall.reason, home.wall.detail, home.survey.cookies)}"
    shown = "; ".join(f"{one.url}: {why}" for one, why in choice.left_out[:3])
    return (
        f"{url}: no feed, no sitemap and no section page that lists articles; {tried} addresses were looked at"
        + (f" ({shown})" if shown else "")
        + ". Where you know one, give its address instead"
    )


def nothing_read(url: str, sampled: Sequence[Sampled], cookies: Sequence[str]) -> str:
    """Why of all the pages that were asked for none became an article."""
    reasons: dict[Reason, list[Sampled]] = {}
    for one in sampled:
        if one.reason is not None:
            reasons.setdefault(one.reason, []).append(one)
    reason, most = max(reasons.items(), key=lambda item: len(item[1]))
    said = f"{url}: none of {len(sampled)} pages became an article; {len(most)} of them: "
    return said + wall_sentence(reason, most[0].detail, cookies) + f", for example {most[0].url}"


def wall_sentence(reason: Reason, detail: str, cookies: Sequence[str]) -> str:
    """What stands before a page, and what an operator can do about it."""
    if reason is Reason.CONSENT_WALL:
        named = f'; its page sets the cookie "{cookies[0]}"' if cookies else ""
        return f"a consent wall ({detail}){named}. If you may consent, give the cookie with --cookie NAME=VALUE"
    if reason is Reason.LOGIN_WALL:
        return f"a login ({detail}). If you have a subscription, give its cookie with --cookie NAME=VALUE"
    if reason is Reason.JAVASCRIPT_SHELL:
        return f"no text until scripts run ({detail}); a source with [fetch] render needs nachlese[browser]"
    if reason is Reason.ROBOTS:
        return detail
    if reason is Reason.HTTP_ERROR:
        return f"{detail}. Some sites refuse crawlers that name no contact: see `contact` in settings.toml"
    return f"{reason} ({detail})"
