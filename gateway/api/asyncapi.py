"""AsyncAPI 3.0: every event that the services publish, and every method that they answer over RPC.

Pure: the events are those of the contract, the methods are those of the services' answers to `describe`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from gateway.api import catalogue
from gateway.api.catalogue import ServiceDescriptions, in_words, one_line, outcome, reference
from gateway.http.json_schema import (
    ANYTHING,
    DAY,
    HASH,
    INSTANT,
    TEXT,
    TRUTH,
    WHOLE,
    Shape,
    by_name,
    each,
    many,
    page,
    some,
)
from gateway.upstream.answer_schemas import PROBLEM_SAID
from services.chassis import fields, trace
from services.chassis.tokens import HEADER, ROLES
from services.chassis.version import VERSION
from services.contract import KINDS
from services.contract.event import COMMANDS
from services.contract.topology import RPC_EXCHANGE, exchange
from services.contract.view import Kind

ABOUT = """\
The services' events and RPC methods on RabbitMQ. 各服务在 RabbitMQ 上的事件与 RPC 方法。

Events are CloudEvents 1.0 on the topic exchange `<service>.events`, published persistently; each carries the whole
public view after the change. Keep the newest `sequence` of a `subject` and ignore older ones: then a repeated, late or
reordered event changes nothing. Call methods as nameko does: JSON to the exchange `nameko-rpc`.

A command's `command_id` speaks for one act of its caller: the same command again is answered with its first outcome, or
judged anew where it was refused; anything else under it is refused as `command_id_reused`.
"""

BINDING = "0.3.0"
JSON = "application/json"
CAUSE = (
    f"What caused it: an event by its id, a command by `uuid5({COMMANDS}, command_id)`, since a sender may "
    "write anything into its id; look at `actor`, too: callers may use the same ids. "
    "起因：事件以其编号表示，命令以由其编号算出的 UUID 表示。"
)
DATASCHEMA = (
    "The JSON Schema of `data`: a URI, at `/api/v1/schemas/<URI>` of the gateway. Between our own services it is a "
    "path. data 的结构：其 URI 可在网关的 /api/v1/schemas/ 下查得；本系统各服务之间仍写作路径。"
)
SEQUENCE = (
    "The record's version, with zeros before it, so that texts sort as numbers; without them between our own services. "
    "记录版本，前补零，可按文本排序；本系统各服务之间不补零。"
)
TOKEN = {"$ref": "#/components/securitySchemes/token"}
SECURITY = {
    "broker": {"type": "userPassword", "description": "The broker's user. 消息服务用户。"},
    "token": {
        "type": "httpApiKey",
        "name": HEADER,
        "in": "header",
        "description": "A signed token in the message's headers. 消息标头中的令牌。",
    },
}
BROKER = {
    "host": "{host}",
    "protocol": "amqp",
    "protocolVersion": "0.9.1",
    "variables": {"host": {"default": "localhost:5672", "description": "The broker. 消息服务地址。"}},
    "security": [{"$ref": "#/components/securitySchemes/broker"}],
}
AsyncApi = dict[str, Any]
"""A part of the document."""


def document(descriptions: ServiceDescriptions) -> AsyncApi:
    """Make the whole document; a service that was never heard has its events, but not its methods."""
    methods = list(_methods(descriptions))
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "科协 Kexie", "version": VERSION, "description": ABOUT},
        "defaultContentType": JSON,
        "servers": {"broker": BROKER},
        "channels": {
            **{_event_id(kind, happened): _event_channel(kind, happened) for kind, happened in _events()},
            **{f"rpc.{name}": _method_channel(name, method) for name, method, _ in methods},
            "replies": _reply_channel(methods),
        },
        "operations": {
            **{_event_id(kind, happened): _event_operation(kind, happened) for kind, happened in _events()},
            **{f"rpc.{name}": _method_operation(name, method) for name, method, _ in methods},
        },
        "components": {
            "schemas": {**_views(), **catalogue.views(descriptions), **catalogue.records(descriptions)},
            "securitySchemes": SECURITY,
        },
    }


# --- events -----------------------------------------------------------------------------------------------------------


def _events() -> Iterator[tuple[Kind, str]]:
    for kind in KINDS.values():
        for happened in kind.happenings:
            yield kind, happened


def _event_id(kind: Kind, happened: str) -> str:
    return f"{kind.service}.{kind.routing_key(happened)}"


def _event_channel(kind: Kind, happened: str) -> AsyncApi:
    message = {
        "name": kind.routing_key(happened),
        "title": f"{in_words(kind.name)} {happened}",
        "contentType": JSON,
        "payload": _envelope(kind, happened),
        "correlationId": {
            "location": "$message.payload#/cause",
            "description": CAUSE,
        },
    }
    return {
        "address": kind.routing_key(happened),
        "description": one_line(kind.view.__doc__),
        "messages": {"event": message},
        "bindings": _routed(exchange(kind.service)),
    }


def _event_operation(kind: Kind, happened: str) -> AsyncApi:
    channel = f"#/channels/{_event_id(kind, happened)}"
    return {
        "action": "send",
        "channel": {"$ref": channel},
        "messages": [{"$ref": f"{channel}/messages/event"}],
        "bindings": {"amqp": {"deliveryMode": 2, "bindingVersion": BINDING}},
    }


def _envelope(kind: Kind, happened: str) -> Shape:
    """CloudEvents 1.0, open to further attributes: readers ignore the unknown ones."""
    version = {"type": "string", "pattern": "^(?!0+$)[0-9]{1,18}$", "description": SEQUENCE}
    view = {"$ref": f"{catalogue.SCHEMAS}{kind.service}.{kind.view.__name__}"}
    closed = each(
        specversion={"const": "1.0"},
        id={"type": "string", "pattern": f"^{kind.name}/.+/[1-9][0-9]*$"},
        source={"const": f"/{kind.service}"},
        type={"const": kind.routing_key(happened)},
        subject=TEXT,
        time=INSTANT,
        dataschema={"enum": [kind.schema_uri, kind.dataschema], "description": DATASCHEMA},
        sequence=version,
        actor=TEXT,
        cause=TEXT,
        hash=HASH,
        data=view,
    )
    return {**some(closed, traceparent=TEXT), "additionalProperties": True}


def _views() -> dict[str, Shape]:
    """The views that events carry, also those of services that were never heard."""
    return catalogue.views(
        {
            service: {
                "kinds": {kind.name: {"view": kind.json_schema} for kind in KINDS.values() if kind.service == service}
            }
            for service in dict.fromkeys(kind.service for kind in KINDS.values())
        }
    )


# --- methods ----------------------------------------------------------------------------------------------------------


def _methods(descriptions: ServiceDescriptions) -> Iterator[tuple[str, Mapping[str, Any], Shape]]:
    """Each method of each service: its name, its description with its input, and the schema of its answer."""
    for service, description in sorted(descriptions.items()):
        known = _queries(service, description)
        for name, command in description["commands"].items():
            taken = some(
                command["input"],
                command_id=fields.CommandId().json_schema(),
                expected_version={"type": "integer", "minimum": 1},
            )
            yield f"{service}.{name}", {**command, "input": taken}, outcome(service, command)
        for name, query in description.get("queries", {}).items():
            taken, answer = known.get(name, (query.get("input", by_name(ANYTHING)), ANYTHING))
            yield f"{service}.{name}", {**query, "input": taken}, answer


def _queries(service: str, description: Mapping[str, Any]) -> dict[str, tuple[Shape, Shape]]:
    """Input and answer of the queries that every service has."""
    nothing = each()
    filtered = some(
        nothing, filter=by_name(ANYTHING), search=TEXT, order=TEXT, cursor=TEXT, limit=WHOLE, revision=TRUTH,
        personal=TRUTH,
    )  # fmt: skip
    queries: dict[str, tuple[Shape, Shape]] = {
        "describe": (nothing, by_name(ANYTHING)),
        "ping": (nothing, each(service={"const": service}, parked=WHOLE)),
        "tally": (each(rule=by_name(ANYTHING), first=DAY, last=DAY), by_name(ANYTHING)),
    }
    for name, kind in description["kinds"].items():
        record = reference(service, name)
        queries[f"get_{name}"] = (some(each(id=TEXT), personal=TRUTH), record)
        queries[f"list_{kind['plural']}"] = (filtered, page(record, total=WHOLE))
        queries[f"history_of_{name}"] = (each(id=TEXT), catalogue.history(name))
    return queries


def _method_channel(name: str, method: Mapping[str, Any]) -> AsyncApi:
    headers: Shape = {
        "type": "object",
        "properties": {HEADER: TEXT, trace.HEADER: TEXT},
        "required": [] if method.get("public") else [HEADER],
    }
    request = {
        "name": name,
        "contentType": JSON,
        "headers": headers,
        "payload": each(args={"type": "array", "maxItems": 0}, kwargs=method["input"]),
        "correlationId": {"location": "$message.header#/correlation_id"},
    }
    return {"address": name, "messages": {"request": request}, "bindings": _routed(RPC_EXCHANGE)}


def _method_operation(name: str, method: Mapping[str, Any]) -> AsyncApi:
    channel, public = f"#/channels/rpc.{name}", method.get("public", False)
    operation = {
        "action": "receive",
        "channel": {"$ref": channel},
        "summary": one_line(method["summary"]) or in_words(name.partition(".")[2]),
        "messages": [{"$ref": f"{channel}/messages/request"}],
        "reply": {
            "address": {"location": "$message.header#/reply_to"},
            "channel": {"$ref": "#/channels/replies"},
            "messages": [{"$ref": f"#/channels/replies/messages/{reply}"} for reply in (name, "error")],
        },
        "x-roles": list(ROLES) if public else list(method["roles"]),
    }
    return operation if public else operation | {"security": [TOKEN]}


def _reply_channel(methods: list[tuple[str, Mapping[str, Any], Shape]]) -> AsyncApi:
    return {
        "address": None,
        "description": "The queue that the caller named in `reply_to`. 调用方在 reply_to 中指定的队列。",
        "messages": {
            **{name: _reply(name, each(result=answer, error={"type": "null"})) for name, _, answer in methods},
            "error": _reply("error", each(result={"type": "null"}, error=_ERROR)),
        },
    }


def _reply(name: str, payload: Shape) -> AsyncApi:
    correlated = {"location": "$message.header#/correlation_id"}
    return {"name": f"answer of {name}", "contentType": JSON, "payload": payload, "correlationId": correlated}


_ERROR: Shape = each(exc_type=TEXT, exc_path=TEXT, exc_args=many(PROBLEM_SAID), value=TEXT)


def _routed(name: str) -> AsyncApi:
    through = {"name": name, "type": "topic", "durable": True, "autoDelete": False, "vhost": "/"}
    return {"amqp": {"is": "routingKey", "exchange": through, "bindingVersion": BINDING}}
