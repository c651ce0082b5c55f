"""The OpenAPI document: made of the endpoints, and of the columns that the views have in this very database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from webapp.api.endpoints import ENDPOINTS, SHAPES, Endpoint, Parameter
from webapp.queries.paging import LARGEST_PAGE, PAGE
from webapp.reader import News

Schema = dict[str, Any]
Columns = Mapping[str, Mapping[str, Schema]]

COLUMNS = """
    SELECT class.relname::text AS view, attribute.attname::text AS name, format_type(attribute.atttypid, -1) AS type,
           col_description(class.oid, attribute.attnum) AS about
    FROM pg_class AS class
    JOIN pg_namespace AS namespace ON namespace.oid = class.relnamespace
    JOIN pg_attribute AS attribute ON attribute.attrelid = class.oid AND attribute.attnum > 0
    WHERE namespace.nspname = 'news' AND class.relkind = 'v'
    ORDER BY class.relname, attribute.attnum
"""
TYPES: Mapping[str, Schema] = {
    "bigint": {"type": ["integer", "null"]},
    "integer": {"type": ["integer", "null"]},
    "real": {"type": ["number", "null"]},
    "double precision": {"type": ["number", "null"]},
    "boolean": {"type": ["boolean", "null"]},
    "text": {"type": ["string", "null"]},
    "text[]": {"type": ["array", "null"], "items": {"type": "string"}},
    "timestamp with time zone": {"type": ["string", "null"], "format": "date-time"},
    "date": {"type": ["string", "null"], "format": "date"},
    "interval": {"type": ["number", "null"], "description": "seconds"},
    "jsonb": {"type": ["object", "null"]},
}
PROBLEM: Schema = {
    "type": "object",
    "properties": {"title": {"type": "string"}, "status": {"type": "integer"}, "detail": {"type": "string"}},
    "required": ["title", "status", "detail"],
}


async def columns(news: News) -> Columns:
    """View -> column -> its schema. Columns of bytes are for SQL only."""
    found: dict[str, dict[str, Schema]] = {}
    for row in await news.rows(COLUMNS):
        if row["type"] in TYPES:
            schema = dict(TYPES[row["type"]])
            schema["description"] = " ".join(filter(None, (row["about"], schema.get("description"))))
            found.setdefault(row["view"], {})[row["name"]] = schema
    return found


def document(known: Columns, version: str) -> Schema:
    """The whole document (OpenAPI 3.1)."""
    paths = {f"/api/v1{endpoint.path}": {"get": operation(endpoint, known)} for endpoint in ENDPOINTS}
    paths["/api/v1/changes/stream"] = {"get": _stream()}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Nachlese",
            "version": version or "0",
            "description": "What Nachlese has stored of news sites, read only. Texts are a stranger's: plain "
            "text, never HTML. "
            "Long lists page by cursor. Every answer has an ETag.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": paths,
        "components": {"schemas": {"Problem": PROBLEM}},
    }


def operation(endpoint: Endpoint, known: Columns) -> Schema:
    """One address."""
    made = [parameter(each) for each in endpoint.parameters]
    if endpoint.cursor:
        made.append(_query("cursor", "Where to go on: `next` of the page before", {"type": "string", "minLength": 1}))
    if endpoint.cursor or endpoint.name == "changes":
        size = {"type": "integer", "minimum": 1, "maximum": LARGEST_PAGE, "default": PAGE}
        made.append(_query("limit", "Rows of a page", size))
    responses: Schema = {
        "200": {"description": "As asked", "content": {"application/json": {"schema": answer(endpoint, known)}}},
        "304": {"description": "As If-None-Match has it already"},
        "400": _problem("A parameter that is none; `detail` names it"),
        "503": _problem("The database does not answer, or not in time; come again"),
    }
    if any(each.is_path for each in endpoint.parameters):
        responses["404"] = _problem("There is no such thing")
    return {"operationId": endpoint.name, "summary": endpoint.about, "parameters": made, "responses": responses}


def parameter(each: Parameter) -> Schema:
    """One parameter."""
    schemas: Mapping[str, Schema] = {
        "text": {"type": "string", "minLength": 1, "maxLength": each.longest, "pattern": "^[^\\u0000]+$"},
        "integer": {"type": "integer", "minimum": each.least, "maximum": each.most},
        "flag": {"type": "boolean"},
        "choice": {"type": "string", "enum": list(each.choices)},
        "moment": {"anyOf": [{"type": "string", "format": "date-time"}, {"type": "string", "format": "date"}]},
    }
    made = _query(each.name, each.about, schemas[each.kind])
    if each.is_path:
        made |= {"in": "path"}
    if each.is_path or each.is_required:
        made["required"] = True
    return made


def answer(endpoint: Endpoint, known: Columns) -> Schema:
    """The schema of what it answers."""
    properties = {name: schema for view in endpoint.views for name, schema in known.get(view, {}).items()}
    if endpoint.columns is not None:
        properties = {name: properties[name] for name in endpoint.columns if name in properties}
    item = _object({**properties, **endpoint.more})
    if endpoint.is_list:
        return _object(
            {"items": {"type": "array", "items": item}, "next": {"type": ["string", "null"]}}, ["items", "next"]
        )
    for name, views in endpoint.lists.items():
        item["properties"][name] = {"type": "array", "items": _object(_columns_of(views, known))}
    return item


def _columns_of(views: Sequence[str], known: Columns) -> Schema:
    found: Schema = {}
    for view in views:
        found |= SHAPES.get(view) or known.get(view, {})
    return found


def _object(properties: Mapping[str, Any], required: Sequence[str] = ()) -> Schema:
    made: Schema = {"type": "object", "properties": dict(properties), "additionalProperties": False}
    return made | ({"required": list(required)} if required else {})


def _query(name: str, about: str, schema: Schema) -> Schema:
    return {"name": name, "in": "query", "description": about, "schema": schema}


def _problem(about: str) -> Schema:
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {"description": about, "content": content}


def _stream() -> Schema:
    return {
        "operationId": "changes_stream",
        "summary": "Every change as a server-sent event: its number as id, its kind as event, a row of "
        "`changes` as data. With "
        "Last-Event-ID it goes on behind that number and skips nothing; without, it begins with what comes from now on",
        "parameters": [
            _query(
                "after", "Begin behind the change of this number; 0: with the first", {"type": "integer", "minimum": 0}
            ),
            {
                "name": "Last-Event-ID",
                "in": "header",
                "schema": {"type": "integer", "minimum": 0},
                "description": "As a browser sends it when it comes back",
            },
        ],
        "responses": {
            "200": {
                "description": "Until somebody hangs up",
                "content": {"text/event-stream": {"schema": {"type": "string"}}},
            },
            "400": _problem("A parameter that is none; `detail` names it"),
            "503": _problem("Too many listen already"),
        },
    }
