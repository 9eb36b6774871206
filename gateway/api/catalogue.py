"""The catalogue: everything that can be asked over HTTP, each of the services' own commands and lists included.

Pure: made of the endpoints as they are declared, and of what the services said of themselves in `describe`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from gateway.http import json_schema as http_json_schema
from gateway.http import pagination
from gateway.http.json_schema import (
    ANYTHING,
    INSTANT,
    TEXT,
    WHOLE,
    Shape,
    by_name,
    each,
    either,
    many,
    maybe,
    page,
    some,
)
from gateway.http.parameters import Parameter
from gateway.reconciliation import inputs
from gateway.upstream import list_parameters
from services.chassis.fields import json_schema
from services.chassis.tokens import BRIEF, READERS, ROLES
from services.contract import KINDS
from services.contract.topology import SERVICES
from services.contract.view import COMPARABLE, Field, Kind

Said = Mapping[str, Mapping[str, Any]]
"""What each service that was ever heard said in `describe`."""

VARIABLE = re.compile(r"<(?:[^:<>]+:)?([^<>]+)>")
SCHEMAS = "#/components/schemas/"

WORDS_OF_ADDRESSES: Mapping[str, tuple[str, Shape]] = {
    "year": ("The plan's year. 计划年度。", {"type": "string", "examples": ["2011"]}),
    "code": ("The KPI. 指标代码。", {"type": "string", "examples": ["K1", "K2"]}),
    "service": ("The service that owns it. 所属服务。", {"type": "string", "examples": list(SERVICES)}),
    "kind": ("The kind of record. 记录类别。", {"type": "string", "examples": [kind.name for kind in KINDS.values()]}),
    "id": ("The record's id. 记录编号。", {"type": "string", "examples": ["r-1"]}),
    "command_id": ("The id that the command was sent with. 命令编号。", {"type": "string", "examples": ["k-1"]}),
}

COMMAND_HEADERS: Mapping[str, tuple[str, Shape]] = {
    "Idempotency-Key": (
        "The command's id: the same one again changes nothing more (X-01). 命令编号：重复发送不再变更。",
        {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[!-.0-~]+$"},
    ),
    "If-Match": (
        "The version that you saw: refused where the record has changed since (X-03). 所见版本，已变更则拒绝。",
        {"type": "string", "pattern": '^"[1-9][0-9]{0,8}"$', "examples": ['"3"']},
    ),
}


@dataclass(frozen=True)
class Route:
    """An endpoint as it is declared. Where it stands `for_each` command, question, list, record, history or job, there
    is one operation for each of them, with its own address, roles and schemas."""

    name: str
    method: str
    url: str
    about: str = ""
    public: bool = False
    roles: tuple[str, ...] = READERS
    asks: Mapping[str, Parameter] = field(default_factory=dict)
    takes: Shape | None = None
    answers: Mapping[int, Shape] = field(default_factory=dict)
    for_each: str | None = None


@dataclass(frozen=True)
class Word:
    """A parameter: where it stands, what it is for, and what may be sent."""

    name: str
    place: str  # path, query or header
    about: str
    schema: Shape
    is_needed: bool = False


@dataclass(frozen=True)
class Operation:
    """One method at one address."""

    id: str
    tag: str
    method: str
    path: str
    summary: str
    public: bool
    roles: tuple[str, ...]  # who may, where it is not public
    words: tuple[Word, ...] = ()
    takes: Shape | None = None
    answers: Mapping[int, Shape] = field(default_factory=dict)
    is_command: bool = False


def operations(routes: Iterable[Route], said: Said) -> list[Operation]:
    """All there is, in the order of addresses; a service that was never heard is not among them."""
    found = [one for route in routes for one in EACH[route.for_each](route, said)]
    names = Counter(one.id for one in found)
    distinct = [replace(one, id=f"{one.id}_{_ending(one.path)}") if names[one.id] > 1 else one for one in found]
    return sorted(distinct, key=lambda one: (one.path, one.method))


def matrix(operations: Iterable[Operation]) -> dict[str, Any]:
    """Who may do what: for each operation the roles that may; a public one needs no token."""
    return {
        "roles": list(ROLES),
        "operations": [
            {
                "method": one.method,
                "path": one.path,
                "id": one.id,
                "summary": one.summary,
                "public": one.public,
                "roles": list(ROLES if one.public else one.roles),
            }
            for one in operations
        ],
    }


def views(said: Said) -> dict[str, Shape]:
    """The public views of all kinds, by the names that schemas refer to them with."""
    return {
        f"{service}.{name}": _referring(schema, service)
        for service, description in sorted(said.items())
        for kind in description["kinds"].values()
        for name, schema in kind["view"]["$defs"].items()
    }


def records(said: Said) -> dict[str, Shape]:
    """The records of all kinds as commands and queries answer them: the view with id and version."""
    return {
        f"{service}.{name}": _record(service, kind["view"])
        for service, description in sorted(said.items())
        for name, kind in description["kinds"].items()
    }


def reference(service: str, name: str) -> Shape:
    return {"$ref": f"{SCHEMAS}{service}.{name}"}


def outcome(service: str, command: Mapping[str, Any]) -> Shape:
    """What a command answers: the record, and to a judge no more than that it was changed."""
    record = reference(service, command["kind"])
    if "judge" not in command["roles"]:
        return record
    return either(record, each(**dict.fromkeys(BRIEF, TEXT) | {"version": http_json_schema.VERSION}))


def view_of(service: str, described: Mapping[str, Any]) -> Shape:
    """A reference to the view of a kind."""
    return _referring({"$ref": described["view"]["$ref"]}, service)


def history(kind: str) -> Shape:
    version = each(
        version=http_json_schema.VERSION, happened=TEXT, at=INSTANT, by=TEXT, because=TEXT, reason=maybe(TEXT),
        view=by_name(ANYTHING), hash=http_json_schema.HASH,
    )  # fmt: skip
    return each(id=TEXT, kind={"const": kind}, versions=many(version))


def in_words(name: str) -> str:
    return name.replace("_", " ").capitalize()


# --- one route, many operations ---------------------------------------------------------------------------------------


def _itself(route: Route, _: Said) -> Iterator[Operation]:
    yield _operation(route)


def _jobs(route: Route, _: Said) -> Iterator[Operation]:
    for job, schema in inputs.JOBS.items():
        one = replace(route, name=f"{route.name}_{job}", about=route.about and f"{route.about} ({job})")
        takes = json_schema(schema) if route.method == "POST" else None
        yield _operation(replace(one, takes=takes), job=job)


def _commands(route: Route, said: Said) -> Iterator[Operation]:
    for service, description in sorted(said.items()):
        for name, command in description["commands"].items():
            if command["kind"] in description["kinds"]:
                one = replace(route, name=f"{service}_{name}", about=command["summary"] or in_words(name))
                one = replace(one, roles=_both(route, command), takes=command["input"])
                told = {200: outcome(service, command), **route.answers}
                made = _operation(replace(one, answers=told), service=service, command=name)
                headers = tuple(Word(word, "header", *rest) for word, rest in COMMAND_HEADERS.items())
                yield replace(made, words=(*made.words, *headers), is_command=True)


def _questions(route: Route, said: Said) -> Iterator[Operation]:
    """The queries of a service's own, which say what they ask for."""
    for service, description in sorted(said.items()):
        for name, query in description.get("queries", {}).items():
            if "input" in query:
                one = replace(route, name=f"{service}_{name}", about=query["summary"] or in_words(name))
                made = _operation(replace(one, roles=_both(route, query)), service=service, question=name)
                yield replace(made, words=(*made.words, *_asked(query["input"])))


def _lists(route: Route, said: Said) -> Iterator[Operation]:
    for service, name, described, known in _kinds(said):
        plural = described["plural"]
        query = _query(said, service, f"list_{plural}")
        told = route.answers or {200: some(page(reference(service, name), total=WHOLE), revision=WHOLE)}
        one = replace(route, name=f"{service}_list_{plural}", roles=_both(route, query), answers=told)
        about = f"{in_words(plural)}, page by page. 列表。"
        made = _operation(replace(one, about=about), service=service, plural=plural)
        paging = {
            name: one for name, one in _paging(known).items() if not (route.answers and name in pagination.PAGING)
        }
        yield replace(made, words=(*made.words, *_filters(known), *_queries(paging)))


def _records(route: Route, said: Said) -> Iterator[Operation]:
    for service, name, described, _ in _kinds(said):
        query = _query(said, service, f"get_{name}")
        told = route.answers or {200: reference(service, name)}
        one = replace(route, name=f"{service}_get_{name}", roles=_both(route, query), answers=told)
        about = f"{in_words(name)}: {described['about']}"
        yield _operation(replace(one, about=about), service=service, plural=described["plural"])


def _histories(route: Route, said: Said) -> Iterator[Operation]:
    for service, name, described, _ in _kinds(said):
        query = _query(said, service, f"history_of_{name}")
        told = route.answers or {200: history(name)}
        one = replace(route, name=f"{service}_history_of_{name}", roles=_both(route, query), answers=told)
        yield _operation(one, service=service, plural=described["plural"])


EACH: Mapping[str | None, Callable[[Route, Said], Iterator[Operation]]] = {
    None: _itself,
    "job": _jobs,
    "command": _commands,
    "question": _questions,
    "list": _lists,
    "record": _records,
    "history": _histories,
}


def _kinds(said: Said) -> Iterator[tuple[str, str, Mapping[str, Any], Kind]]:
    """The kinds that the gateway's contract knows too."""
    for service, description in sorted(said.items()):
        for name, described in description["kinds"].items():
            if known := KINDS.get(f"{service}.{name}"):
                yield service, name, described, known


def _query(said: Said, service: str, name: str) -> Mapping[str, Any]:
    """What a service said of a query; one of an earlier release said nothing."""
    return said[service].get("queries", {}).get(name, {"roles": READERS})


def _both(route: Route, described: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(role for role in route.roles if role in described["roles"])


def _operation(route: Route, **filled: str) -> Operation:
    url = route.url
    for name, value in filled.items():
        url = url.replace(f"<{name}>", value)
    names = [name.rstrip("_") for name in VARIABLE.findall(url)]
    return Operation(
        id=route.name,
        tag=_tag(url),
        method=route.method,
        path=VARIABLE.sub(lambda found: f"{{{found[1].rstrip('_')}}}", url),
        summary=route.about or in_words(route.name),
        public=route.public,
        roles=route.roles,
        words=(*map(_of_address, names), *_queries(route.asks)),
        takes=route.takes,
        answers=route.answers,
    )


def _ending(path: str) -> str:
    """As which file: one method may answer in several forms."""
    name, _, ending = path.rpartition("/")[2].rpartition(".")
    return ending if name else "json"


def _tag(url: str) -> str:
    """The first word of the address; what is no part of the interface for programs is `system`."""
    prefix, _, rest = url.partition("/api/v1/")
    return re.split(r"[/.]", rest)[0] if rest and not prefix else "system"


def _of_address(name: str) -> Word:
    about, schema = WORDS_OF_ADDRESSES.get(name, (in_words(name), TEXT))
    return Word(name, "path", about, {"minLength": 1, "pattern": "^[^/]+$", **schema})


def _queries(asks: Mapping[str, Parameter]) -> Iterator[Word]:
    for name, one in asks.items():
        yield Word(name, "query", f"{one.en} {one.zh}", one.schema)


def _asked(schema: Mapping[str, Any]) -> Iterator[Word]:
    for name, one in schema["properties"].items():
        yield Word(name, "query", one.get("title", name), one, is_needed=name in schema["required"])


def _filters(kind: Kind) -> Iterator[Word]:
    for name, one in kind.fields.items():
        if one.type in COMPARABLE:
            about = "Only with this value, or with any of these. 仅限该值或其中之一。"
            yield Word(name, "query", about, {"type": "array", "items": _value(one), "minItems": 1})


def _paging(kind: Kind) -> Mapping[str, Parameter]:
    sortable = [name for name, one in kind.fields.items() if one.type in COMPARABLE and not one.many]
    orders = [sign + name for name in ["id", *sortable] for sign in ("", "-")]
    order = replace(list_parameters.ORDER, schema={"type": "string", "enum": orders})
    return {
        "order": order,
        "cursor": pagination.THEIR_CURSOR,
        "limit": pagination.LIMIT,
        "revision": list_parameters.REVISION,
    }


def _value(one: Field) -> Shape:
    if one.choices:
        return {"type": "string", "enum": list(one.choices)}
    if one.type is bool:
        return {"type": "boolean"}
    if one.type is int:
        return {"type": "integer", "minimum": 0, "maximum": 10**18 - 1}
    return {"type": "string", "format": "date"} if one.type is date else TEXT


def _record(service: str, view: Mapping[str, Any]) -> Shape:
    shown = view["$defs"][view["$ref"].rpartition("/")[2]]
    properties = {"id": TEXT, "version": http_json_schema.VERSION, **_referring(shown["properties"], service)}
    about = {"description": shown["description"]} if "description" in shown else {}
    return {**about, **each(**properties)}


def _referring(schema: Any, service: str) -> Any:
    """The same with references to where the views of all services stand."""
    if isinstance(schema, Mapping):
        return {
            name: f"{SCHEMAS}{service}.{value.rpartition('/')[2]}" if name == "$ref" else _referring(value, service)
            for name, value in schema.items()
        }
    return [_referring(one, service) for one in schema] if isinstance(schema, list) else schema
