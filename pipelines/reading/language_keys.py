"""What a language file may hold: every key, the shape of its value and what it is for."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Shape(StrEnum):
    """How a key's value is written in the file."""

    WORDS = "words"  # a list of words that stand for themselves
    PATTERNS = "patterns"  # a list of regular expressions, capitals or not, without groups that capture
    TWELVE = "a list for each month"
    SEVEN = "a list for each weekday"
    NUMBERS = "words with numbers"


@dataclass(frozen=True, slots=True)
class Key:
    """One key: its *shape*, what it is for, and whether a file without it is refused."""

    shape: Shape
    about: str
    is_needed: bool = False


def _words(about: str, *, needed: bool = False) -> Key:
    return Key(Shape.WORDS, about, needed)


def _patterns(about: str, *, needed: bool = False) -> Key:
    return Key(Shape.PATTERNS, about, needed)


KEYS: dict[str, Key] = {
    "text.common": _words(
        "the commonest words, which no other language here shares: they tell the language", needed=True
    ),
    # the article on its page
    "body.address": _patterns(
        "words that speak to the reader or of the publisher, with the capitals they have: we, your"
    ),
    "body.answer": _patterns("links below a reader's comment: reply, report"),
    "body.record": _patterns("what stands beside comments: likes, '3 days ago'"),
    "body.by_machine": _patterns("how a text says that a machine wrote it, with the capitals it has"),
    "body.picture": _patterns("what the credit of a picture begins with, with its capital: Photo"),
    "body.picture_source": _patterns("the same for words that stand behind statements as well: source"),
    "body.before_a_paper": _words("words before a newspaper's name that is also a word for picture: 'told Bild'"),
    "body.money": _words("names of currencies behind a price with raised cents"),
    "body.fact_titles": _patterns("headings over a table of facts: at a glance"),
    "body.fact_labels": _patterns("what such a table calls its rows: place, date"),
    "body.fact_heads": _patterns("what it calls its second column: value"),
    # dates
    "dates.months": Key(Shape.TWELVE, "names and abbreviations of the months, January first", True),
    "dates.weekdays": Key(Shape.SEVEN, "names of the weekdays, Monday first", True),
    "dates.weekdays_short": Key(Shape.SEVEN, "abbreviations of the weekdays, Monday first"),
    "dates.days_ago": Key(Shape.NUMBERS, "words for days: today = 0, yesterday = 1", True),
    "dates.day_words_only_here": _words("of these, words that mean something else in another language"),
    "dates.ago": _patterns("how long ago: <n> is the number, <unit> its unit ('<n> <unit> ago')", needed=True),
    "dates.one": _patterns("words for the number one in that"),
    "dates.one_ago": _patterns("how 'an hour ago' begins, without a digit"),
    "dates.seconds": _words("how the unit of seconds begins", needed=True),
    "dates.minutes": _words("how the unit of minutes begins", needed=True),
    "dates.hours": _words("how the unit of hours begins", needed=True),
    "dates.days": _words("how the unit of days begins", needed=True),
    "dates.ordinals": _words("what may hang on to the number of a day: 3rd, 1er"),
    "dates.between": _words("words between day, month and year: 3 de mayo de 2025"),
    "dates.order": _words("DMY where 3/4/2025 is the third of April; leave it out where readers disagree"),
    "dates.clock_words": _words("words behind a clock time: 16:30 Uhr"),
    "dates.before_clock": _words("words between a day and its clock time: um, at"),
    "dates.before_day": _words("words between a clock time and its day: am, on"),
    "dates.before_date": _words("words between a weekday and its date: den, the"),
    "dates.zones": Key(Shape.NUMBERS, "names of time zones in this language, hours ahead of UTC"),
    "dates.local_time": _words("words that say that a clock time is some other place's"),
    "dates.to": _words("the word between the first and the last day of an event"),
    # what the words before a date say that it is
    "labels.published": _patterns("publication: 'published', 'posted on'", needed=True),
    "labels.modified": _patterns("a later change: 'updated', 'last edited'", needed=True),
    "labels.as_of": _patterns("the day that a text is up to: 'as of'"),
    "labels.other": _patterns("neither: 'valid until', 'born', 'photo'", needed=True),
    # names that developers give to elements (class, id), in this language
    "class_names.date": _patterns("of a date"),
    "class_names.date_line": _patterns("of what stands beside a date: author, time"),
    "class_names.comments": _patterns("of readers' comments"),
    "class_names.elsewhere": _patterns("of what is not the article: calendar, weather, prices"),
    # who wrote it
    "people.lead": _patterns("what begins a byline and is no name: 'Written by ', 'Text: '"),
    "people.says_by": _patterns("words before names on a line of their own: 'by'"),
    "people.signature": _patterns("how a signature below the text begins: 'Words:', 'The interview was led by'"),
    "people.label": _patterns("what a list of facts calls the author"),
    "people.separators": _words("words between two names: and, with"),
    "people.behind": _patterns("what a line puts behind a name, none of it a name: 'updated', 'is', 'on 3'"),
    "people.and_more": _patterns("what ends a list of names: '3 more'"),
    "people.roles": _patterns("roles: editor, correspondent"),
    "people.role_words": _patterns("words that make a part of a byline no name: desk, staff"),
    "people.role_beside": _words("words that begin a part which is no name: 'in', 'for'"),
    "people.role_adjectives": _patterns("words before a role: our, senior"),
    "people.organisation_ends": _patterns("how the names of newsrooms and companies end, in a word of any length"),
    "people.organisation_words": _patterns("what only newsrooms and companies have in their names"),
    "people.nobody": _words("accounts and words that are taken for names: admin, guest"),
    "people.no_names": _words("small words with which no name begins or ends"),
    "people.not_a_name": _patterns("whole words that no name has: more, share"),
    "people.places": _patterns("places that look like first and last name"),
    "people.particles": _words("small words inside names: von, de"),
    "people.titles": _patterns("academic titles, without their dot"),
    "people.picture": _patterns("how the credit of a picture begins"),
    "people.outside": _patterns("names of elements (class, id) that hold no byline, besides those of [class_names]"),
    "class_names.kicker": _patterns("of the line above a headline"),
    # news agencies
    "agency.cities": _words("cities from which much news is written: they open a text before a dash"),
    "agency.before_name": _patterns("words before an agency's name in a byline: with, source"),
    "agency.articles": _patterns("articles before it"),
    "agency.called": _patterns("what an agency is called: news agency"),
    "agency.countries": _patterns("countries behind its name"),
    "agency.credits": _patterns("words of credit: source, with material"),
    "agency.of": _words("small words between a word of credit and the agency"),
    "agency.pictures": _patterns("words of a picture's credit"),
    "agency.mention": _patterns("words before an agency that is only spoken of: according to"),
    # what a page is
    "verdict.service_paths": _patterns("last part of the address of a service page: imprint, terms"),
    "verdict.service_titles": _patterns("the whole headline of such a page"),
    "verdict.shop_paths": _patterns("parts of a shop's addresses"),
    "verdict.list_paths": _patterns("parts of the address of a list: category, tag"),
    # headlines
    "title.no_kicker": _patterns("words of a line above the headline that is no kicker: 'published', '3 hours'"),
    "title.sections": _words("names of sections, which are no part of a headline: politics, sport"),
    "title.site_words": _words("words beside a site's name in a window title: online, news"),
}
