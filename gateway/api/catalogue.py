"""The catalogue of all operations over HTTP, the services' own commands and lists included.

Pure: made of the endpoints as they are declared, and of the services' answers to `describe`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from gateway.http import pagination
from gateway.http.json_schema import (
    ANYTHING,
    HASH,
    INSTANT,
    TEXT,
    VERSION,
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
from gateway.upstream.descriptions import office_fields
from services.chassis.fields import CommandId, json_schema
from services.chassis.tokens import BRIEF, READERS, ROLES
from services.contract import KINDS, glossary
from services.contract.topology import SERVICES
from services.contract.view import COMPARABLE, Field, Kind

ServiceDescriptions = Mapping[str, Mapping[str, Any]]
"""The answer of each service that was ever heard to `describe`."""

VARIABLE = re.compile(r"<(?:[^:<>]+:)?([^<>]+)>")
SCHEMAS = "#/components/schemas/"

ADDRESS_PARAMETERS: Mapping[str, Parameter] = {
    "year": Parameter(str, "The plan's year.", "计划年度。", {"type": "string", "examples": ["2011"]}),
    "code": Parameter(str, "The KPI's code.", "指标代码。", {"type": "string", "examples": ["K1", "K2"]}),
    "service": Parameter(
        str, "The service that owns the record.", "所属服务。", {"type": "string", "examples": list(SERVICES)}
    ),
    "kind": Parameter(
        str, "The kind of record.", "记录类别。", {"type": "string", "examples": [kind.name for kind in KINDS.values()]}
    ),
    "id": Parameter(str, "The record's id.", "记录编号。", {"type": "string", "examples": ["r-1"]}),
    "uri": Parameter(
        str,
        "The URI of a schema.",
        "结构的 URI。",
        {"type": "string", "examples": [kind.schema_uri for kind in KINDS.values()]},
    ),
    "command_id": Parameter(
        str, "The id that you sent the command with.", "命令编号。", {"type": "string", "examples": ["k-1"]}
    ),
}

COMMAND_HEADERS: Mapping[str, Parameter] = {
    "Idempotency-Key": Parameter(
        str,
        "The command's id, which speaks for one act of yours (X-01): the same command again is answered with its first "
        "outcome, or judged anew where it was refused; anything else under it is refused with 409 `command_id_reused`.",
        "命令编号，只代表您的一项操作：原样重发得到首次结果（曾被拒绝的重新判断），用于其他内容或命令则以 409 拒绝。",
        CommandId().json_schema(),
    ),
    "If-Match": Parameter(
        str,
        "The version that you saw: the command is refused where the record has changed since (X-03).",
        "所见版本，已变更则拒绝。",
        {"type": "string", "pattern": '^"[1-9][0-9]{0,8}"$', "examples": ['"3"']},
    ),
}

FILTER = Parameter(str, "Only records with this value, or with any of these.", "仅限该值或其中之一。")


@dataclass(frozen=True)
class Route:
    """An endpoint as it is declared, with its summary in both languages, and `about` where there is more to say.

    Where it stands `for_each` command, question, list, record, history or job, there is one operation for each of them,
    with its own address, roles and schemas.
    """

    name: str
    method: str
    url: str
    en: str = ""
    zh: str = ""
    about: str = ""
    public: bool = False
    roles: tuple[str, ...] = READERS
    asks: Mapping[str, Parameter] = field(default_factory=dict)
    takes: Shape | None = None
    answers: Mapping[int, Shape] = field(default_factory=dict)
    for_each: str | None = None


@dataclass(frozen=True)
class OperationParameter:
    """A parameter of an operation: where it stands, what it is for, and the JSON Schema of its values."""

    name: str
    place: str  # path, query or header
    description: str
    schema: Shape
    is_needed: bool = False


@dataclass(frozen=True)
class Operation:
    """One method at one address; its summary is in both languages."""

    id: str
    tag: str
    method: str
    path: str
    summary: str
    public: bool
    roles: tuple[str, ...]  # who may, where it is not public
    parameters: tuple[OperationParameter, ...] = ()
    takes: Shape | None = None
    answers: Mapping[int, Shape] = field(default_factory=dict)
    about: str = ""
    is_command: bool = False


def operations(routes: Iterable[Route], descriptions: ServiceDescriptions) -> list[Operation]:
    """List all operations in the order of their addresses; a service that was never heard has none.

    An id that several operations would share is completed by the kind of file that they answer.
    """
    listed = [operation for route in routes for operation in EACH[route.for_each](route, descriptions)]
    ids = Counter(operation.id for operation in listed)
    distinct = [replace(one, id=f"{one.id}_{_file_type(one.path)}") if ids[one.id] > 1 else one for one in listed]
    return sorted(distinct, key=lambda one: (one.path, one.method))


def matrix(operations: Iterable[Operation]) -> dict[str, Any]:
    """List the roles that may call each operation; a public one needs no token, so all of them may."""
    return {
        "roles": list(ROLES),
        "operations": [
            {
                "method": operation.method,
                "path": operation.path,
                "id": operation.id,
                "summary": operation.summary,
                "public": operation.public,
                "roles": list(ROLES if operation.public else operation.roles),
            }
            for operation in operations
        ],
    }


def views(descriptions: ServiceDescriptions) -> dict[str, Shape]:
    """The public views of all kinds, by the names under which other schemas refer to them."""
    return {
        f"{service}.{name}": _referring(schema, service)
        for service, description in sorted(descriptions.items())
        for kind in description["kinds"].values()
        for name, schema in kind["view"]["$defs"].items()
    }


def records(descriptions: ServiceDescriptions) -> dict[str, Shape]:
    """The records of all kinds as commands and queries answer them: the view with id and version.

    Who may read more of them finds the fields of those classes as well.
    """
    return {
        f"{service}.{name}": _record(service, kind)
        for service, description in sorted(descriptions.items())
        for name, kind in description["kinds"].items()
    }


def reference(service: str, name: str) -> Shape:
    """Refer to the schema of a kind's records."""
    return {"$ref": f"{SCHEMAS}{service}.{name}"}


def outcome(service: str, command: Mapping[str, Any]) -> Shape:
    """The answer to a command: the record; to a judge, no more than that it was changed."""
    record = reference(service, command["kind"])
    if "judge" not in command["roles"]:
        return record
    return either(record, each(**dict.fromkeys(BRIEF, TEXT) | {"version": VERSION}))


def history(kind: str) -> Shape:
    """The answer of a service to a question for all versions of a record."""
    version = each(
        version=VERSION, happened=TEXT, at=INSTANT, by=TEXT, because=TEXT, reason=maybe(TEXT),
        view=by_name(ANYTHING), hash=HASH,
    )  # fmt: skip
    return each(id=TEXT, kind={"const": kind}, versions=many(some(version, before=by_name(ANYTHING))))


def in_words(name: str) -> str:
    """A programs' name for people: `verify_count` is `Verify count`."""
    return name.replace("_", " ").capitalize()


def one_line(text: str | None) -> str:
    """A docstring without its line breaks; empty where there is none."""
    return " ".join((text or "").split())


# --- one route, many operations ---------------------------------------------------------------------------------------


def _itself(route: Route, _: ServiceDescriptions) -> Iterator[Operation]:
    yield _operation(route)


def _jobs(route: Route, _: ServiceDescriptions) -> Iterator[Operation]:
    en, zh = route.en.removesuffix("."), route.zh.removesuffix("。")
    for job, schema in inputs.JOBS.items():
        takes = json_schema(schema) if route.method == "POST" else None
        of_job = replace(route, name=f"{route.name}_{job}", en=f"{en}: {job}.", zh=f"{zh}：{job}。", takes=takes)
        yield _operation(of_job, job=job)


def _commands(route: Route, descriptions: ServiceDescriptions) -> Iterator[Operation]:
    for service, description in sorted(descriptions.items()):
        for name, command in description["commands"].items():
            if command["kind"] in description["kinds"]:
                yield _command(route, service, name, command)


def _command(route: Route, service: str, name: str, command: Mapping[str, Any]) -> Operation:
    called = glossary.COMMANDS.get(f"{service}.{name}")
    of_command = replace(
        route,
        name=f"{service}_{name}",
        en=one_line(command["summary"]) or (f"{called.en}." if called else in_words(name)),
        zh=command.get("summary_zh") or (f"{called.zh}。" if called else ""),
        roles=_allowed(route, command),
        takes=command["input"],
        answers={200: outcome(service, command), **route.answers},
    )
    operation = _operation(of_command, service=service, command=name)
    headers = _parameters("header", COMMAND_HEADERS)
    return replace(operation, parameters=(*operation.parameters, *headers), is_command=True)


def _questions(route: Route, descriptions: ServiceDescriptions) -> Iterator[Operation]:
    """A service's own queries: those with an input schema."""
    for service, description in sorted(descriptions.items()):
        for name, query in description.get("queries", {}).items():
            if "input" in query:
                en, roles = one_line(query["summary"]) or in_words(name), _allowed(route, query)
                of_query = replace(
                    route, name=f"{service}_{name}", en=en, zh=query.get("summary_zh") or "", roles=roles
                )
                operation = _operation(of_query, service=service, question=name)
                yield replace(operation, parameters=(*operation.parameters, *_inputs(query["input"])))


def _lists(route: Route, descriptions: ServiceDescriptions) -> Iterator[Operation]:
    for service, name, description, kind in _kinds(descriptions):
        plural = description["plural"]
        of_list = replace(
            route,
            name=f"{service}_list_{plural}",
            en=f"List {plural.replace('_', ' ')}.",
            zh=f"{glossary.KINDS[kind.key].zh}列表。",
            roles=_allowed(route, _query(descriptions, service, f"list_{plural}")),
            answers=route.answers or {200: some(page(reference(service, name), total=WHOLE), revision=WHOLE)},
        )
        operation = _operation(of_list, service=service, plural=plural)
        fields = {**kind.fields, **office_fields(description)}
        paging = {
            name: parameter
            for name, parameter in _paging(fields).items()
            if not (route.answers and name in pagination.PAGING)
        }
        yield replace(operation, parameters=(*operation.parameters, *_filters(fields), *_parameters("query", paging)))


def _records(route: Route, descriptions: ServiceDescriptions) -> Iterator[Operation]:
    for service, name, description, kind in _kinds(descriptions):
        of_record = replace(
            route,
            name=f"{service}_get_{name}",
            en=f"Show one {name.replace('_', ' ')} record.",
            about=one_line(description["about"]),
            zh=f"{glossary.KINDS[kind.key].zh}。",
            roles=_allowed(route, _query(descriptions, service, f"get_{name}")),
            answers=route.answers or {200: reference(service, name)},
        )
        yield _operation(of_record, service=service, plural=description["plural"])


def _histories(route: Route, descriptions: ServiceDescriptions) -> Iterator[Operation]:
    for service, name, description, _ in _kinds(descriptions):
        roles = _allowed(route, _query(descriptions, service, f"history_of_{name}"))
        answers = route.answers or {200: history(name)}
        of_history = replace(route, name=f"{service}_history_of_{name}", roles=roles, answers=answers)
        yield _operation(of_history, service=service, plural=description["plural"])


EACH: Mapping[str | None, Callable[[Route, ServiceDescriptions], Iterator[Operation]]] = {
    None: _itself,
    "job": _jobs,
    "command": _commands,
    "question": _questions,
    "list": _lists,
    "record": _records,
    "history": _histories,
}


def _kinds(descriptions: ServiceDescriptions) -> Iterator[tuple[str, str, Mapping[str, Any], Kind]]:
    """The kinds that the gateway's own contract has too."""
    for service, description in sorted(descriptions.items()):
        for name, described in description["kinds"].items():
            if kind := KINDS.get(f"{service}.{name}"):
                yield service, name, described, kind


def _query(descriptions: ServiceDescriptions, service: str, name: str) -> Mapping[str, Any]:
    """A query as its service describes it; an earlier release describes none, and all readers may ask it."""
    return descriptions[service].get("queries", {}).get(name, {"roles": READERS})


def _allowed(route: Route, described: Mapping[str, Any]) -> tuple[str, ...]:
    """The roles that both the route and the service admit."""
    return tuple(role for role in route.roles if role in described["roles"])


def _operation(route: Route, **filled: str) -> Operation:
    url = route.url
    for name, value in filled.items():
        url = url.replace(f"<{name}>", value)
    names = [name.rstrip("_") for name in VARIABLE.findall(url)]
    path = VARIABLE.sub(lambda variable: f"{{{variable[1].rstrip('_')}}}", url)
    return Operation(
        id=route.name,
        tag=_tag(url),
        method=route.method,
        path=path,
        summary=_summary(route, _file_type(path)),
        public=route.public,
        roles=route.roles,
        parameters=(*map(_of_address, names), *_parameters("query", route.asks)),
        takes=route.takes,
        answers=route.answers,
        about=route.about,
    )


def _summary(route: Route, file_type: str) -> str:
    """Both languages, with the kind of file where one method answers in several."""
    if not route.en:
        return in_words(route.name)
    if file_type == "json":
        return f"{route.en} {route.zh}".strip()
    en, zh = route.en.removesuffix("."), route.zh.removesuffix("。")
    return f"{en}, as {file_type.upper()}. {zh}（{file_type.upper()}）。"


def _file_type(path: str) -> str:
    """The extension of an address; JSON where it has none."""
    name, _, extension = path.rpartition("/")[2].rpartition(".")
    return extension if name else "json"


def _tag(url: str) -> str:
    """The first word of an address under `/api/v1/`; any other address is of the `system`."""
    prefix, _, rest = url.partition("/api/v1/")
    return re.split(r"[/.]", rest)[0] if rest and not prefix else "system"


def _of_address(name: str) -> OperationParameter:
    parameter = ADDRESS_PARAMETERS.get(name, Parameter(str, in_words(name), ""))
    schema = {"minLength": 1, "pattern": "^[^/]+$", **parameter.schema}
    return OperationParameter(name, "path", parameter.description, schema)


def _parameters(place: str, declared: Mapping[str, Parameter]) -> Iterator[OperationParameter]:
    for name, parameter in declared.items():
        yield OperationParameter(name, place, parameter.description, parameter.schema)


def _inputs(schema: Mapping[str, Any]) -> Iterator[OperationParameter]:
    """The inputs of a service's own query, which are sent as parameters."""
    for name, field_schema in schema["properties"].items():
        is_needed = name in schema["required"]
        yield OperationParameter(name, "query", field_schema.get("title", name), field_schema, is_needed=is_needed)


def _filters(fields: Mapping[str, Field]) -> Iterator[OperationParameter]:
    for name, of_kind in fields.items():
        if of_kind.type in COMPARABLE:
            schema = {"type": "array", "items": _value(of_kind), "minItems": 1}
            yield OperationParameter(name, "query", FILTER.description, schema)


def _paging(fields: Mapping[str, Field]) -> Mapping[str, Parameter]:
    sortable = [name for name, one in fields.items() if one.type in COMPARABLE and not one.many]
    orders = [sign + name for name in ["id", *sortable] for sign in ("", "-")]
    order = replace(list_parameters.ORDER, schema={"type": "string", "enum": orders})
    return {**list_parameters.OF_EVERY_LIST, "order": order}


def _value(of_kind: Field) -> Shape:
    if of_kind.choices:
        return {"type": "string", "enum": list(of_kind.choices)}
    if of_kind.type is bool:
        return {"type": "boolean"}
    if of_kind.type is int:
        return {"type": "integer", "minimum": 0, "maximum": 10**18 - 1}
    return {"type": "string", "format": "date"} if of_kind.type is date else TEXT


def _record(service: str, kind: Mapping[str, Any]) -> Shape:
    view = kind["view"]
    shown = view["$defs"][view["$ref"].rpartition("/")[2]]
    properties = {"id": TEXT, "version": VERSION, **_referring(shown["properties"], service)}
    about = {"description": shown["description"]} if "description" in shown else {}
    return {**about, **some(each(**properties), **_beside(kind.get("fields", {})))}


def _beside(fields: Mapping[str, Any]) -> dict[str, Shape]:
    """The fields beside the view, each in its place; nobody gets the internal ones."""
    placed: dict[str, Any] = {}
    for path, told in fields.items():
        first, _, rest = path.partition(".")
        if rest and "schema" in told:
            placed.setdefault(first, {})[rest] = told
        elif "schema" in told:
            placed[first] = _of_class(told)
    return {name: one if "x-roles" in one else some(each(), **_beside(one)) for name, one in placed.items()}


def _of_class(told: Mapping[str, Any]) -> Shape:
    return {"x-class": told["class"], "x-roles": told["roles"], **told["schema"]}


def _referring(schema: Any, service: str) -> Any:
    """The same schema with its references pointing to the views of that service in this document."""
    if isinstance(schema, Mapping):
        return {
            name: f"{SCHEMAS}{service}.{value.rpartition('/')[2]}" if name == "$ref" else _referring(value, service)
            for name, value in schema.items()
        }
    return [_referring(item, service) for item in schema] if isinstance(schema, list) else schema
