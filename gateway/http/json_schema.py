"""The shapes of answers, as JSON Schemas: short words for what is said often."""

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
    """An object that has all of these and nothing else."""
    return {"type": "object", "properties": fields, "required": list(fields), "additionalProperties": False}


def at_least(**fields: Shape) -> Shape:
    """An object that has all of these, and whatever else."""
    return {"type": "object", "properties": fields, "required": list(fields)}


def some(shape: Shape, **fields: Shape) -> Shape:
    """An object like that one, which may have these besides."""
    return {**shape, "properties": {**shape["properties"], **fields}}


def many(shape: Shape) -> Shape:
    return {"type": "array", "items": shape}


def by_name(shape: Shape) -> Shape:
    """An object whose names are data."""
    return {"type": "object", "additionalProperties": shape}


def either(*shapes: Shape) -> Shape:
    return {"anyOf": list(shapes)}


def maybe(shape: Shape) -> Shape:
    """Null, or that."""
    return either(shape, {"type": "null"})


def one_of(*values: str) -> Shape:
    return {"type": "string", "enum": list(values)}


WORDS = each(zh=TEXT, en=TEXT)


def of_view(schema: Shape) -> Shape:
    """A view as its service describes it, with what it refers to in its place."""
    definitions = schema["$defs"]

    def inlined(said: Any) -> Any:
        if isinstance(said, Mapping):
            if "$ref" in said:
                return inlined(definitions[said["$ref"].rpartition("/")[2]])
            return {name: inlined(one) for name, one in said.items()}
        return [inlined(one) for one in said] if isinstance(said, list) else said

    return inlined({"$ref": schema["$ref"]})


def page(item: Shape, **fields: Shape) -> Shape:
    """A page of a list: the next one begins at the cursor; null where there is none."""
    return each(items=many(item), cursor=maybe(TEXT), **fields)


def of_type(media_type: str) -> Shape:
    """An answer that is no JSON."""
    return {"type": "string", "contentMediaType": media_type}


HASH: Shape = {"type": "string", "pattern": "^[0-9a-f]{64}$"}

VERSION: Shape = {"type": "integer", "minimum": 1}

PLAIN = of_type("text/plain")

PAGE = of_type("text/html")

ASSET = ANYTHING
