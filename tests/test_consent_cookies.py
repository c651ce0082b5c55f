"""The cookie that a consent wall waits for is named where its page says it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from pipelines.items import Page, Reason, Rejected
from pipelines.reading import read, shipped_rules
from pipelines.reading.verdict.consent_cookies import cookies_in


@pytest.mark.parametrize(
    ("html", "names"),
    [
        ('<script>document.cookie = "zustimmung=1; path=/"</script>', ("zustimmung",)),
        ("<script>Cookies.set('consent-ok', 'yes')</script>", ("consent-ok",)),
        ("<script>if (document.cookie.indexOf('gdpr=') < 0) show()</script>", ("gdpr",)),
        ("<script>var c = getCookie('cmp_accepted')</script>", ("cmp_accepted",)),
        ("<div data-cookie-name='privacy'></div>", ("privacy",)),
        ('<script>init({cookieName: "wall"})</script>', ("wall",)),
        ("<script src='https://cdn.privacy-mgmt.com/unified/wrapper.js'></script>", ("consentUUID",)),
        ("<p>Wir verwenden Cookies.</p>", ()),
    ],
)
def test_a_cookie_is_found_as_scripts_name_it(html: str, names: tuple[str, ...]):
    assert cookies_in(html) == names


def test_a_wall_says_which_cookie_it_waits_for():
    text = "Wir und unsere 213 Partner speichern Informationen auf einem Gerät und greifen darauf zu, um "
    body = f"""<html lang="de"><head><title>Wir benötigen Ihre Zustimmung</title>
    <script>document.cookie="euconsent=1"</script></head><body><h1>Wir benötigen Ihre Zustimmung</h1>
    <p>{text} Werbung zu zeigen. Mit Ihrer Zustimmung nutzen wir Cookies.</p><button>Alle akzeptieren</button></body>"""
    page = Page("https://blatt.example/1", "blatt", body.encode(), datetime(2026, 3, 1, tzinfo=UTC))
    with pytest.raises(Rejected) as raised:
        read(page, shipped_rules())
    assert raised.value.reason == Reason.CONSENT_WALL
    assert raised.value.detail.endswith("waits for the cookie euconsent")
