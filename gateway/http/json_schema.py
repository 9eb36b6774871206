"""JSON Schemas of answers, in short words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Shape = Mapping[str, Any]

TEXT: Shape = {"type": "string"}
WHOLE: Shape = {"type": "integer"}
NUMBER: Shape = {"type": "number"}
TRUTH: Shape = {"type": "boolean"}
DAY: Shape = {"type": "string", "format": "date"}
INSTANT: Shape = {"type": "string", "format": "date-time"}
ANYTHING: Shape = {}


def each(**fields: Shape) -> Shape:
    """An object with all of these fields and no other."""
    return {"type": "object", "properties": fields, "required": list(fields), "additionalProperties": False}


def at_least(**fields: Shape) -> Shape:
    """An object with all of these fields; it may have others."""
    return {"type": "object", "properties": fields, "required": list(fields)}


def some(shape: Shape, **fields: Shape) -> Shape:
    """The same object with these optional fields besides."""
    return {**shape, "properties": {**shape["properties"], **fields}}


def many(shape: Shape) -> Shape:
    """A list, which may be empty."""
    return {"type": "array", "items": shape}


def by_name(shape: Shape) -> Shape:
    """An object whose field names are data."""
    return {"type": "object", "additionalProperties": shape}


def either(*shapes: Shape) -> Shape:
    """A value that fits at least one of the shapes."""
    return {"anyOf": list(shapes)}


def maybe(shape: Shape) -> Shape:
    """The shape, or null where there is no value."""
    return either(shape, {"type": "null"})


def one_of(*values: str) -> Shape:
    """A text of a closed list."""
    return {"type": "string", "enum": list(values)}


WORDS = each(zh=TEXT, en=TEXT)


def of_view(schema: Shape) -> Shape:
    """A view's schema, as its service describes it, with every reference replaced by its definition."""
    definitions = schema["$defs"]

    def inlined(part: Any) -> Any:
        if isinstance(part, Mapping):
            if "$ref" in part:
                return inlined(definitions[part["$ref"].rpartition("/")[2]])
            return {name: inlined(value) for name, value in part.items()}
        return [inlined(item) for item in part] if isinstance(part, list) else part

    return inlined({"$ref": schema["$ref"]})


def page(item: Shape, **fields: Shape) -> Shape:
    """A page of a list; its `cursor` begins the next page, and is null on the last."""
    return each(items=many(item), cursor=maybe(TEXT), **fields)


def of_type(media_type: str) -> Shape:
    """An answer that is not JSON."""
    return {"type": "string", "contentMediaType": media_type}


HASH: Shape = {"type": "string", "pattern": "^[0-9a-f]{64}$"}

VERSION: Shape = {"type": "integer", "minimum": 1}

PLAIN = of_type("text/plain")

PAGE = of_type("text/html")

ASSET = ANYTHING
