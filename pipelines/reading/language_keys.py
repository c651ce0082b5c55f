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
    """One key: its *shape*, what it is for, and whether a file without it is refused. Patterns that *are_small* meet
    texts in small letters, so that one with a capital would find nothing and is refused."""

    shape: Shape
    about: str
    is_needed: bool = False
    are_small: bool = False


def _words(about: str, *, needed: bool = False) -> Key:
    return Key(Shape.WORDS, about, needed)


def _patterns(about: str, *, needed: bool = False) -> Key:
    return Key(Shape.PATTERNS, about, needed)


def _small_patterns(about: str, *, needed: bool = False) -> Key:
    return Key(Shape.PATTERNS, f"{about}, small letters", needed, are_small=True)


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
    "dates.longer": _words("how units longer than a day begin: week, month; they make a date line, which tells no day"),
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
    "labels.published": _small_patterns("publication: 'published', 'posted on'", needed=True),
    "labels.modified": _small_patterns("a later change: 'updated', 'last edited'", needed=True),
    "labels.as_of": _small_patterns("the day that a text is up to: 'as of'"),
    "labels.other": _small_patterns("neither: 'valid until', 'born', 'photo'", needed=True),
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
    "people.byline_words": _patterns("words that a byline has beside names: by, and, text"),
    "people.byline_start": _patterns("how a line that is nothing but a byline begins: by, text:"),
    "people.beside_names": _patterns("what stands beside names in a dated byline: updated, read, staff"),
    "people.does": _patterns("what follows the name of a person who is introduced: is, writes"),
    "people.born": _patterns("what may stand between such a name and that word: born"),
    "agency.material": _patterns("the beginning of a line that credits agencies: with material, with its capitals"),
    "agency.place_words": _patterns("small words inside names of places: on, near"),
    "body.credit_words": _patterns("words inside the credit of a picture: private, archive, by"),
    "body.own_picture": _patterns("who owns a picture that is no agency's: private, archive"),
    "body.picture_ends": _patterns("how compounds end that begin a credit: Symbolbild"),
    "body.figure_label": _patterns("what numbered figures are called, with the capital"),
    "body.here": _patterns("more words that speak to the reader where a line is seen on many pages: here, now"),
    "body.credit_label": _patterns("labels before the credit at the end of a caption"),
    "body.read_on": _patterns("what a teaser's end links with: read more"),
    "text.unfinished": _words("words with which no sentence ends: the, of, to"),
    "kind.press": _patterns("what press releases are called"),
    "kind.gallery": _patterns("what galleries of pictures are called"),
    "kind.advert": _patterns("labels of paid texts"),
    "kind.advert_alone": _patterns("labels of paid texts that stand over advertising spaces as well"),
    "kind.live": _patterns("how a live blog's headline says so, besides 'live'"),
    "kind.live_in": _words("before 'live blog' in the headline of one: in the"),
    "kind.video": _patterns("what videos are called"),
    "title.home": _words("what the home page is called in a breadcrumb"),
    "title.section_names": _words("one-word names of sections as they stand alone on a line above a headline"),
    "title.section_phrases": _patterns("names of sections that are several words"),
    "title.section_label": _patterns("labels before the name of a section"),
    "dates.beside": _patterns("words beside a date on a line of its own: date, posted, am"),
    "paging.page": _words("what the pages of an article are called, in links and addresses"),
    "paging.of": _words("between two page numbers: 1 of 3"),
    "paging.next": _patterns("the whole text of a link to the next page"),
    "paging.goes_on": _patterns("how a link begins that goes on reading"),
    "paging.goes_on_to": _words("words behind that before the rest of the link: on page"),
    "paging.other": _patterns("what such a link leads to that is no page of the article"),
    "paging.single": _patterns("the whole text of a link to all pages in one"),
    "paging.single_hints": _words("a word out of each of these links: a page without any is not searched"),
    "labels.correction": _patterns("how a text says that it was corrected"),
    "paywall.words": _words(
        "a word out of each prompt of a paywall, small letters: a text without any is not searched"
    ),
    "paywall.prompts": _small_patterns("how a page asks for money or a registration for going on with this article"),
    "class_names.locked": _patterns("of what only subscribers may read"),
    "class_names.paging": _patterns("of the links to an article's pages"),
    "class_names.no_paging": _patterns("of what has pages and is not the article: comments, galleries"),
    "verdict.thing": _patterns("what a page calls itself that is gone: page, article"),
    "verdict.before_thing": _patterns("words before that: the requested, sorry"),
    "verdict.gone": _patterns("that it is gone: not found, removed"),
    "verdict.not_found": _patterns("statements that a page is gone, wherever they stand in its headline"),
    "verdict.excuse": _patterns("how such a headline begins: sorry, oops"),
    "verdict.error": _patterns("words beside the number of an error"),
    "verdict.error_behind": _patterns("words behind that number"),
    "verdict.lost": _patterns("the whole headline of a page that is gone or of a server in trouble, besides those"),
    "verdict.we_cannot": _patterns("how such a headline says that we could not find it, up to the thing"),
    "verdict.cannot_find": _patterns("and from there on: find"),
    "verdict.taken_down": _patterns("what stands in the place of an article that was taken down"),
    "verdict.consent": _small_patterns("words of consent"),
    "verdict.we_ask": _small_patterns("what only somebody says who asks for consent himself"),
    "verdict.consent_talk": _patterns("what he says besides"),
    "verdict.beside_consent": _patterns("words that stand beside those of consent"),
    "verdict.consent_title": _patterns("what the headline of a demand for consent has"),
    "verdict.consent_demand": _patterns("what its buttons say"),
    "verdict.login_title": _patterns("how the headline of a page begins that asks to sign in"),
    "verdict.script_on": _patterns("that JavaScript has to be switched on, behind its name"),
    "verdict.script_before": _patterns("the same before its name"),
    "verdict.robot": _patterns("what a page says that keeps programs or blockers of advertising out"),
    "verdict.list_label": _patterns("what the headline of a list calls itself before a colon"),
    "verdict.list_title": _patterns("how it begins without one: all articles on"),
    "verdict.home_names": _words("what the file of a home page is called in its address"),
    "verdict.video_title": _patterns("before 'video' in a headline: in the"),
    "paths.forms": _patterns("last part of the address of another form of an article: print, comments, pictures"),
    "paths.press": _patterns("parts of the address of a press release"),
    "paths.gallery": _patterns("parts of the address of a gallery"),
    "paths.video": _patterns("parts of the address of a video"),
    "class_names.credit": _patterns("of the credit of a picture"),
    "class_names.picture": _patterns("in the keys of an address that counts pictures or comments, not pages"),
    "class_names.post": _patterns("of one of several posts in a list"),
    "class_names.footnote": _patterns("of the number of a footnote"),
}
