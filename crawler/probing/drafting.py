"""A probe -> the source file: each key with the reason for its value. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from crawler.probing import profile, source_toml
from crawler.probing.addresses import LinkRules, link_rules
from crawler.probing.documents import ARCHIVE, Seen
from crawler.probing.probe import Probe
from crawler.probing.profile import Known, Rhythm
from crawler.probing.source_toml import Reasoned
from pipelines import urls
from pipelines.items import Reason
from pipelines.reading.body.containers import PLAIN
from pipelines.site_models import fit_site_model, observed

#: ``schedule.every``: its history will say when to look
EVERY = "auto"
#: a source is verified where so many of its sampled pages became articles
WELL = 0.5
#: entries of an archive that are older are not wanted
ARCHIVE_AGE = timedelta(days=3)
#: reasons for which the address itself is one of no article; a video or a page that is gone may have any
NO_ARTICLE = frozenset({Reason.HOME_PAGE})


@dataclass(frozen=True)
class Profile:
    """What the sample says of the source."""

    language: Known
    country: Known
    time_zone: Known
    rhythm: Rhythm
    containers: tuple[str, ...]
    paid: int
    read: int
    asked: int

    @property
    def is_well(self) -> bool:
        return self.read >= max(1, WELL * self.asked)


def profile_of(probe: Probe) -> Profile:
    articles = probe.articles
    language = profile.language_of([one.language for one in articles], probe.home.language)
    known = language.value or probe.home.language
    country = profile.country_of(probe.homepage, probe.home.region, probe.countries, known)
    model = fit_site_model([observed(one) for one in articles])
    return Profile(
        language=language,
        country=country,
        time_zone=profile.time_zone_of(country.value, probe.offsets),
        rhythm=profile.rhythm_of(probe.choice.taken),
        containers=tuple(name.removesuffix(PLAIN) for name in model.containers),
        paid=sum(one.is_accessible_for_free is False for one in articles),
        read=len(articles),
        asked=len(probe.sampled),
    )


def source_text(probe: Probe, found: Profile, today: date) -> str:
    """The source file, as text."""
    wanted = probe.wanted
    title = wanted.title or probe.home.title or wanted.name
    head = [
        f"Written by `nachlese sources add {wanted.url}` on {today}.",
        "Behind each value stands why. `nachlese try` tries other rules; `nachlese sources test` tests them.",
    ]
    if probe.moved_to:
        head.append(f"{wanted.url} leads to {probe.moved_to} now.")
    tables: dict[str, dict[str, Reasoned]] = {
        "": top_of(probe, found, title),
        "discover": places_of(probe.choice.taken),
        "discover.links": links_of(probe),
        "schedule": {"every": (EVERY, found.rhythm.why)},
        "fetch": fetch_of(probe),
        "read": {},
        "expect": expect_of(found.rhythm),
    }
    return source_toml.written(head, tables, {"read": read_notes(found), "discover.links": link_notes(probe)})


def top_of(probe: Probe, found: Profile, title: str) -> dict[str, Reasoned]:
    keys: dict[str, Reasoned] = {
        "title": (source_toml.one_line(title), "" if probe.wanted.title else "as the site calls itself"),
        "homepage": (probe.homepage, ""),
    }
    for key, known in (("language", found.language), ("country", found.country), ("time_zone", found.time_zone)):
        if known.value:
            keys[key] = (known.value, known.why)
    keys["enabled"] = (True, "false: crawled only when it is named")
    keys["verified"] = (found.is_well, f"{found.read} of {found.asked} pages became articles")
    if note := note_of(probe, found):
        keys["note"] = (note, "")
    return keys


def note_of(probe: Probe, found: Profile) -> str:
    """What the next person should know."""
    said = []
    if found.language.value is None and "several" in found.language.why:
        said.append(found.language.why[0].upper() + found.language.why[1:] + ".")
    if found.paid:
        said.append(f"{found.paid} of {found.read} articles are behind a paywall.")
    if probe.wall is not None:
        said.append(f"The first page did not come as a page ({probe.wall.reason}); feeds and articles do.")
    reasons = Counter(str(one.reason) for one in probe.sampled if one.reason is not None)
    if reasons:
        listed = ", ".join(f"{count} {reason}" for reason, count in reasons.most_common(4))
        said.append(f"Pages that became no article: {listed}.")
    return source_toml.one_line(" ".join(said), 1000)


def places_of(taken: Sequence[Seen]) -> dict[str, Reasoned]:
    keys: dict[str, Reasoned] = {}
    for kind in ("feed", "sitemap", "section"):
        of_kind = [one for one in taken if one.kind == kind]
        if of_kind:
            ways = ", ".join(dict.fromkeys(one.candidate.how for one in of_kind))
            total = len(set().union(*(one.keys for one in of_kind)))
            name = "news sitemap, " if kind == "sitemap" and all(one.is_news_sitemap for one in of_kind) else ""
            keys[f"{kind}s"] = ([one.url for one in of_kind], f"{name}{ways}; {total} articles")
    return keys


def links_of(probe: Probe) -> dict[str, Reasoned]:
    keys: dict[str, Reasoned] = {}
    if rules := rules_of(probe):
        if rules.allow:
            keys["allow"] = (list(rules.allow), rules.why)
        if rules.deny:
            keys["deny"] = (list(rules.deny), "lists, some of which have such addresses too")
    archives = [one for one in probe.choice.of("sitemap") if not one.is_news_sitemap and one.entries > ARCHIVE]
    fetched_at = probe.articles[0].fetched_at
    if archives and all(one.latest and fetched_at - one.latest < ARCHIVE_AGE / 2 for one in archives):
        keys["max_age"] = (ARCHIVE_AGE, "the sitemap is an archive; without this the first crawl walks through it")
    return keys


def rules_of(probe: Probe) -> LinkRules | None:
    """What the addresses of articles have in common; None where feeds or sitemaps say which pages are articles."""
    sections = probe.choice.of("section")
    if not sections or len(sections) < len(probe.choice.taken):
        return None
    ended = [one.url for one in probe.sampled if one.article is None and one.reason in NO_ARTICLE]
    lists = [one.url for one, _ in probe.choice.left_out if one.kind == "section"] + [one.url for one in sections]
    others = (*probe.home.sections, *probe.home.services, *lists, *ended)
    return link_rules(
        [one.url for one in probe.sampled if one.article is not None],
        list(dict.fromkeys(link.url for one in sections for link in one.links)),
        map(urls.normalise, others),
    )


def link_notes(probe: Probe) -> list[str]:
    rules = rules_of(probe)
    if rules is None or rules.allow:
        return []
    return [f"allow, deny: {rules.why}; those that look like an article's are taken."]


def fetch_of(probe: Probe) -> dict[str, Reasoned]:
    keys: dict[str, Reasoned] = {}
    if probe.wanted.allow_addresses:
        allowed = list(dict.fromkeys(str(one) for one in probe.wanted.allow_addresses))
        keys["allow_addresses"] = (allowed, "private addresses, as the operator said")
    if probe.wanted.cookies:
        keys["cookies"] = (probe.wanted.cookies, "as the operator said; write a secret as ${NAME}")
    return keys


def read_notes(found: Profile) -> list[str]:
    if not found.containers:
        return [
            "No element holds all articles; each page is read by itself. keep, remove, title ...: see `nachlese try`."
        ]
    names = ", ".join(f'"{name}"' for name in found.containers)
    return [
        f"The articles stand in {names}. Nachlese learns that by itself from each run; it needs no rule.",
        f"To hold it to that: keep = [{names}]",
    ]


def expect_of(rhythm: Rhythm) -> dict[str, Reasoned]:
    if rhythm.per_day is None:
        return {}
    return {"articles_per_day": (rhythm.per_day, rhythm.why)}
