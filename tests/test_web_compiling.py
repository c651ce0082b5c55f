"""Templates say the same, compiled our way and Jinja's."""

from __future__ import annotations

import pytest
from jinja2 import Environment, StrictUndefined
from jinja2.exceptions import UndefinedError

from webapp.compiling import RowEnvironment
from webapp.i18n import language
from webapp.rendering import HERE, environment

ROW = {"title": "<b>Rat</b>", "get": "a key", "items": [1, 2], "n": 3, "deep": {"source": "zeitung"}}
VALUES = {
    "_": language("de"), "row": ROW, "titles": {"get": "Get", "zeitung": "Zeitung"}, "names": ["zeitung", "get"],
    "when": lambda at, shown=None: f"{at}/{shown}", "thing": type("Thing", (), {"title": "of an object"})(),
}  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "{{ row.title }} {{ row['get'] }} {{ row.deep.source }} {{ thing.title }}",
        "{% for name in names %}{{ titles.get(name, name) }}{% endfor %} {{ titles.get('x', 'x') }}",
        "{% for name, said in titles.items() %}{{ name }}{{ said }}{% endfor %}",
        "{{ _('{n} copy|{n} copies', n=row.n) }} {{ _.number(1234) }} {{ _('Search') }}",
        "{{ when(1) }} {{ when(1, shown='x') }} {{ when(*[1, 2]) }} {{ when(**{'at': 1}) }}",
        "{% macro one(a) %}{{ _('Search') }}{{ a.title }}{{ caller() }}{% endmacro %}"
        "{% call one(row) %}{{ row.n }}{% endcall %}",
    ],
)
def test_the_same_is_said(text: str):
    options = {"autoescape": True, "undefined": StrictUndefined}
    ours, theirs = (kind(**options).from_string(text).render(VALUES) for kind in (RowEnvironment, Environment))
    assert ours == theirs


def test_what_is_missing_is_still_an_error():
    with pytest.raises(UndefinedError, match="colour"):
        RowEnvironment(undefined=StrictUndefined).from_string("{{ row.colour }}").render(VALUES)
    with pytest.raises(UndefinedError, match="when"):
        RowEnvironment(undefined=StrictUndefined).from_string("{{ when(1) }}").render()


def test_every_template_compiles():
    made = environment()
    assert {made.get_template(path.name).name for path in HERE.glob("templates/*.html")} == set(made.list_templates())
