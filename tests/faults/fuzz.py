"""Nonsense for the five services: random RPC requests and raw AMQP messages, the same ones for the same seed.

`./kexie test tests/faults/test_fuzz.py` sends some thousands; FUZZ_NUMBER and FUZZ_SEED name another number and another
seed. The messages are of six sorts (`Fuzz.sorts`), and the answers are counted by sort and code.
"""

from __future__ import annotations

import json
import uuid
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import eventlet
from amqp.basic_message import Message
from rich.table import Table

from services.chassis import problem
from services.chassis.amqp import connect
from services.contract import KINDS, wire
from services.contract.event import Event
from services.contract.topology import RPC_EXCHANGE, SERVICES, exchange, queues
from tests.contract.views import samples_of

AT_ONCE = 200  # messages between two looks at the answers
EXPECTED = {kind.code for kind in problem.PROBLEMS.values() if hasattr(kind, "code")} - {"malfunction"}
"""The codes that a caller may get besides those of the rules; `malfunction` would be a defect of ours."""

WORDS = [
    "",
    "x",
    "科协",
    "\x00",
    "a" * 300,
    "../..",
    "$where",
    "__type__",
    "2011-02-30",
    "2011-05-14",
    "e\u0301",
    "😀",
    "\ud800",
]
NUMBERS = [0, 1, -1, 2**31, 2**63 - 1, 2**63, -(2**63), 10**400, 0.1, 1e308, True, False]
BYTES = [
    b"",
    b"\xff\xfe",
    b"{",
    b"[]",
    b"null",
    b"NaN",
    b'"x"',
    b"\x00" * 10,
    b'{"a":1,"a":2}',
    b"{} {}",
    b"[" * 50_000,
]
TYPES = [
    "application/json",
    "application/x-python-serialize",
    "application/x-yaml",
    "text/plain",
    "",
    "application/none",
]
ENCODINGS = ["utf-8", "utf-7", "latin-1", "binary", "none-such", ""]


@dataclass
class Sent:
    """A message and its destination; `sort` is its row in the table."""

    sort: str
    exchange: str
    key: str | bytes
    body: bytes
    properties: dict[str, Any] = field(default_factory=dict)


class Fuzz:
    """Makes messages by chance, all of which `random` decides."""

    def __init__(self, random: Any, commands: dict[str, dict[str, Any]], token: str, limit: int) -> None:
        self._random = random
        self._commands = sorted(
            (service, name, description)
            for service, described in commands.items()
            for name, description in described.items()
        )
        self._token = token
        self._limit = limit
        self._sorts = {
            "arguments": self._arguments, "envelope": self._envelope, "properties": self._properties,
            "method": self._method, "event": self._event, "mutated event": self._mutated,
        }  # fmt: skip

    @property
    def sorts(self) -> list[str]:
        """The names of the sorts of messages."""
        return list(self._sorts)

    def next(self) -> Sent:
        """Make the next message, of any sort."""
        sort = self._random.choice(self.sorts)
        return self._sorts[sort](sort)

    def _arguments(self, sort: str) -> Sent:
        """A command that exists, with values that its schema may or may not accept."""
        service, name, description = self._random.choice(self._commands)
        wild = self._random.choice([0.0, 0.1, 1.0])
        arguments = {
            field: self._value() if self._random.random() < wild else self._plausible(schema)
            for field, schema in description["input"]["properties"].items()
            if self._random.random() < 0.95
        }
        if self._random.random() < 0.3:
            arguments[self._random.choice([*WORDS, "command_id", "expected_version", "__type__"])] = self._value()
        return Sent(
            sort,
            RPC_EXCHANGE,
            f"{service}.{name}",
            _json({"args": [], "kwargs": arguments}),
            self._request_properties(),
        )

    def _envelope(self, sort: str) -> Sent:
        """A body that is no request."""
        service, name, _ = self._random.choice(self._commands)
        make = self._random.choice(
            [
                lambda: self._random.choice(BYTES),
                lambda: self._random.randbytes(self._random.randrange(2_000)),
                lambda: _json(self._value()),
                lambda: _json({"args": self._value(), "kwargs": self._value()}),
                lambda: b"x" * (self._limit + 1),
                lambda: _json({"args": [], "kwargs": {"text": "x" * (self._limit - 100)}}),
            ]
        )
        return Sent(sort, RPC_EXCHANGE, f"{service}.{name}", make(), self._request_properties())

    def _properties(self, sort: str) -> Sent:
        """A request whose properties are not those of a request: often it cannot be answered."""
        sent = self._arguments(sort)
        sent.properties |= {
            "content_type": self._random.choice(TYPES),
            "content_encoding": self._random.choice(ENCODINGS),
            "application_headers": {
                "nameko.token": self._value(plain=True),
                self._random.choice(["", "x", "x-death"]): "1",
            },
        }
        for name in ("reply_to", "correlation_id", "content_type", "application_headers"):
            if self._random.random() < 0.25:
                del sent.properties[name]
        if self._random.random() < 0.1:
            sent.properties["reply_to"] = "nobody." + "x" * self._random.randrange(200)
        return sent

    def _method(self, sort: str) -> Sent:
        """A request for a method that no service has."""
        key: str | bytes = (
            f"{self._random.choice(SERVICES)}.{self._random.choice(['', 'x', '*', 'drop', '科协', '__init__'])}"
        )
        if self._random.random() < 0.2:
            key = f"{self._random.choice(SERVICES)}.".encode() + self._random.randbytes(8).replace(b".", b"")
        return Sent(sort, RPC_EXCHANGE, key, _json({"args": [], "kwargs": {}}), self._request_properties())

    def _event(self, sort: str) -> Sent:
        """A body of any kind where events are expected."""
        kind = self._random.choice(list(KINDS.values()))
        body = self._random.choice([self._random.choice(BYTES), self._random.randbytes(300), _json(self._value())])
        properties = {"content_type": self._random.choice(TYPES), "content_encoding": self._random.choice(ENCODINGS)}
        key = f"{kind.name}.{self._random.choice([*kind.happenings, 'none', '#', ''])}"
        return Sent(sort, exchange(kind.service), key, body, properties)

    def _mutated(self, sort: str) -> Sent:
        """An event of ours in which up to two fields are changed or missing."""
        kind = self._random.choice(list(KINDS.values()))
        event = Event(
            kind=kind, record=f"fuzz-{self._random.randrange(50)}", version=self._random.randrange(1, 5),
            happened=self._random.choice(kind.happenings), time="2011-05-14T10:00:00.000+08:00", actor="u-fuzz",
            cause="fuzz", hash="0", data=self._random.choice(samples_of(kind)),
        )  # fmt: skip
        content = json.loads(event.write())
        for _ in range(self._random.randrange(3)):
            self._mutate(content)
        properties = {"content_type": "application/json"}
        return Sent(sort, exchange(kind.service), event.routing_key, _json(content), properties)

    def _mutate(self, content: dict[str, Any]) -> None:
        """Remove or replace a field of the event or of its data."""
        data = content.get("data")
        fields = self._random.choice([content, data]) if isinstance(data, dict) else content
        name = self._random.choice([*fields, "__type__"])
        if self._random.random() < 0.3:
            fields.pop(name, None)
        else:
            fields[name] = self._value()

    def _plausible(self, schema: dict[str, Any]) -> Any:
        """A value as the field's schema asks for, as far as the schema says."""
        if "enum" in schema:
            return self._random.choice(schema["enum"])
        kind = schema.get("type", "string")
        kind = kind[0] if isinstance(kind, list) else kind
        if kind == "integer":
            return self._random.choice([1, 7, 300, schema.get("maximum", 10**6)])
        if kind == "array":
            return [self._plausible(schema.get("items", {})) for _ in range(self._random.randrange(1, 3))]
        if kind == "object":
            return {name: self._plausible(inner) for name, inner in schema.get("properties", {}).items()}
        if kind == "boolean":
            return self._random.random() < 0.5
        if schema.get("format") == "date":
            return f"2011-0{self._random.randrange(1, 10)}-1{self._random.randrange(10)}"
        return self._random.choice(["f-1", "f-2", "f-3", "b" * 64, "511102"])

    def _request_properties(self) -> dict[str, Any]:
        return {
            "content_type": "application/json",
            "content_encoding": "utf-8",
            "correlation_id": uuid.UUID(int=self._random.getrandbits(128)).hex,
            "application_headers": {"nameko.token": self._token},
            "reply_to": REPLIES,
        }

    def _value(self, depth: int = 0, *, plain: bool = False) -> Any:
        makes = [
            lambda: None,
            lambda: self._random.choice(WORDS[:-1] if plain else WORDS),
            lambda: self._random.choice(NUMBERS[:5] if plain else NUMBERS),
            lambda: self._random.randrange(10**6),
        ]
        if depth < 3 and not plain:
            makes += [
                lambda: [self._value(depth + 1) for _ in range(self._random.randrange(4))],
                lambda: {self._random.choice(WORDS): self._value(depth + 1) for _ in range(self._random.randrange(4))},
                lambda: {"__type__": "datetime", "__value__": self._value(depth + 1)},
                lambda: _nested(self._random.choice([30, 900])),
            ]
        return self._random.choice(makes)()


REPLIES = "fuzz.replies"


class Unanswered(AssertionError):
    """Requests that could have been answered and were not."""

    def __init__(self, waiting: dict[str, Sent]) -> None:
        super().__init__()
        self._waiting = waiting

    def __str__(self) -> str:
        first = next(iter(self._waiting.values()), None)
        return f"{len(self._waiting)} requests were not answered, the first: {str(first)[:1_000]}"


class Wire:
    """A connection that sends messages and counts the answers."""

    def __init__(self, settings: Any) -> None:
        self._connection = connect(settings, "tests.fuzz")
        self._channel = self._connection.default_channel
        self._channel.auto_decode = False
        self._channel.queue_declare(REPLIES, exclusive=True, auto_delete=True, durable=False)
        self._channel.queue_bind(REPLIES, exchange=RPC_EXCHANGE, routing_key=REPLIES)
        self._channel.basic_consume(REPLIES, no_ack=True, callback=self._on_reply)
        self._waiting: dict[str, Sent] = {}  # by correlation id
        self.sent: Counter[str] = Counter()
        self.answers: Counter[tuple[str, str]] = Counter()  # by sort and code
        self.undocumented: list[str] = []

    def close(self) -> None:
        """Close the connection."""
        self._connection.collect()

    def send(self, message: Sent) -> None:
        """Send a message, and now and then wait for the answers to all."""
        self._channel.basic_publish(
            Message(message.body, **message.properties), exchange=message.exchange, routing_key=message.key
        )
        self.sent[message.sort] += 1
        properties = message.properties
        if properties.get("reply_to") == REPLIES and properties.get("correlation_id"):
            self._waiting[properties["correlation_id"]] = message
        if self.sent.total() % AT_ONCE == 0:
            self.drain()

    def drain(self, within: float = 30.0) -> None:
        """Wait until every request that can be answered is; raise Unanswered."""
        with eventlet.Timeout(within, Unanswered(self._waiting)):
            while self._waiting:
                self._read()

    def _read(self) -> None:
        with suppress(TimeoutError):
            self._connection.drain_events(timeout=0.5)
        self._connection.heartbeat_check()

    def queued(self) -> dict[str, int]:
        """How many messages are in each queue."""
        names = [*(queue.name for queue in queues()), *(f"rpc-{service}" for service in SERVICES)]
        return {name: self._channel.queue_declare(name, passive=True).message_count for name in names}

    def _on_reply(self, message: Any) -> None:
        id_ = message.properties.get("correlation_id")
        if not id_:
            return  # an answer to a request that had no id
        sent = self._waiting.pop(id_, None)
        if sent is None:
            self.undocumented.append(f"an answer to no request: {bytes(message.body)[:200]!r}")
            return
        self.answers[sent.sort, self._code(sent.sort, bytes(message.body))] += 1

    def _code(self, sort: str, body: bytes) -> str:
        """The code of an answer; note one that is not as documented."""
        answer = wire.decode(body)
        if set(answer) != {"result", "error"}:
            self.undocumented.append(f"{sort}: {body[:200]!r}")
            return "?"
        if answer["error"] is None:
            return "done"
        (details,) = answer["error"]["exc_args"]
        if details["error"] == "Refusal":
            return "a rule"
        if details["code"] not in EXPECTED:
            self.undocumented.append(f"{sort}: {details}")
        return str(details["code"])

    def table(self) -> Table:
        """Make a table of the messages sent, with the codes of their answers."""
        codes = sorted({code for _, code in self.answers})
        table = Table("sort", "sent", *codes, "no answer", box=None)
        for sort, number in sorted(self.sent.items()):
            answered = [self.answers[sort, code] for code in codes]
            table.add_row(sort, f"{number:,}", *(f"{times:,}" for times in answered), f"{number - sum(answered):,}")
        return table


def commands_of(running: Any) -> dict[str, dict[str, Any]]:
    """The commands of every service with their descriptions."""
    return {service: running.call(service, "describe")["commands"] for service in SERVICES}


def _nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=True).encode()
