"""A door that is killed loses nothing and does nothing twice; whatever is sent to it, it lives."""

import random
import signal
import uuid
from contextlib import contextmanager
from itertools import islice

import pytest

from tests.chassis import properties
from tests.chassis.processes import Process
from tests.gateway.door.town import HALL, REGISTER
from tests.stack import until

LIST = "outreach.list_venues"
SEED, MANY = 14, 5_000


def venues(town, name):
    return town.services.database("outreach")["venue"].count_documents({"state.name": name})


# --- killed -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def door_process(town, tmp_path):
    """Starts a door in a process of its own."""

    def start():
        keys = {"TOKEN_PRIVATE_KEY": town.private_key_setting(), "DOOR_SYSTEMS": str(town.list)}
        return Process(town.door_settings(), tmp_path / "door.log", "deploy.run", "door", **keys).ready()

    return start


@pytest.mark.timeout(90)
def test_a_door_that_is_killed_between_a_command_and_its_answer_has_it_done_once(town, door_process, monkeypatch):
    """The request is delivered to the next door, and has the same id there."""
    (office,) = town.let_in("records_office")
    name, held = f"hall {uuid.uuid4().hex}", town.hold_answers(monkeypatch)
    with office.connected() as client:
        with door_process():
            queue = client.queue()
            until(client.is_served)
            client.send(REGISTER, {**HALL, "name": name}, reply_to=queue, correlation_id="c-1")
            until(lambda: venues(town, name) == 1)
        held.release()

        with door_process():
            answer = client.answer(queue)

    assert answer["error"] is None
    assert venues(town, name) == 1


@pytest.mark.timeout(90)
def test_a_door_that_is_killed_while_it_carries_events_loses_none_of_them(town, door_process):
    """Those that were confirmed and not acked come twice, with the same id."""
    (office,) = town.let_in("chronicle")
    ids, full = [*map(str, range(300))], {"x-max-length": 150, "x-overflow": "reject-publish"}
    with office.connected() as client:
        with door_process():
            until(client.is_served)
            first = client.hear("outreach.venue.*", arguments=full)
            town.publish("venue.registered", *ids)
            until(lambda: client.waiting(first) == 150)
        heard = client.read(first, until_id=ids[149])
        client.channel.queue_delete(first)

        rest = client.hear("outreach.venue.*")
        with door_process():
            heard += client.read(rest, until_id=ids[-1])

    assert list(dict.fromkeys(heard)) == ids
    assert len(heard) > len(ids)


@pytest.mark.timeout(90)
def test_a_door_that_is_frozen_is_replaced_by_another_and_does_nothing_twice_when_it_wakes(town, door_process):
    (office,) = town.let_in("night_watch")
    names = [f"hall {uuid.uuid4().hex}" for _ in range(30)]
    with office.connected() as client, door_process() as first, door_process():
        until(lambda: client.consumers("door.requests") == 2)
        heard, answers = client.hear("outreach.venue.*"), client.queue()
        with frozen(first):
            for name in names:
                client.send(REGISTER, {**HALL, "name": name}, reply_to=answers, correlation_id=name)
            ids = {client.answer(answers)["result"]["id"] for _ in names}
            assert set(client.subjects(heard, ids)) == ids
        until(lambda: first.get("/ready")[0] == 200)
        until(lambda: client.consumers("door.requests") == 2)

        assert client.ask(LIST)["error"] is None
    assert [venues(town, name) for name in names] == [1] * len(names)


@contextmanager
def frozen(process):
    process._process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        process._process.send_signal(signal.SIGCONT)


@pytest.mark.parametrize("missing", ["DOOR_SYSTEMS", "TOKEN_PRIVATE_KEY"])
def test_a_door_without_what_it_needs_says_so_and_ends(town, tmp_path, missing):
    given = {"TOKEN_PRIVATE_KEY": town.private_key_setting(), "DOOR_SYSTEMS": str(town.list)}
    with Process(town.settings, tmp_path / "door.log", "deploy.run", "door", **given | {missing: ""}) as door:
        assert door.exit_code() == 2
        assert f"{missing}: the door needs it" in door.log


# --- nonsense ---------------------------------------------------------------------------------------------------------


DEEP = 5_000
BODIES = (
    b"", b"null", b"{", b"[]", b"7", b'"text"', b"\xff\xfe\x00", b"\x1f\x8b\x08", b"[" * DEEP + b"]" * DEEP,
    b'{"kwargs": []}', b'{"args": [1], "kwargs": {}}', b'{"kwargs": {"venue_kind": {"$gt": ""}}}', b" " * 1_100_000,
    b'{"kwargs": {"name": "\\ud800"}}', b'{"kwargs": {"capacity": 1e999}}', b'{"__type__": "x"}',
)  # fmt: skip
KEYS = (
    REGISTER, LIST, "outreach.", "outreach..", "outreach.rpc", "awards.rearm", "rural.*", "members.科", "rural.#",
    "outreach." + "x" * 200,
)  # fmt: skip
TOKENS = (None, True, 7, -(2**63), 1.5, b"\xff", "x" * 10_000, "", [], {}, {"a": [{"b": None}]})
ADDRESSES = (
    None, "nobody", "door.requests", REGISTER, "amq.rabbitmq.reply-to.x", "amq.gen-x", "x" * 255, "科" * 85, "#", "*.*",
    "outreach.events", " ",
)  # fmt: skip
PROPERTIES = {
    "content_type": ("application/json", "text/plain", "", "x" * 255),
    "content_encoding": ("utf-8", "gzip", "binary", "no such thing"),
    "correlation_id": ("c", "", "x" * 255, "\u79d1\u534f"),
    "priority": (0, 255),
    "delivery_mode": (1, 2),
    "message_id": ("1", "7", "x"),
    "timestamp": (0, 2**63),
    "type": ("x",),
    "app_id": ("kexie",),
}


def nonsense(chance):
    """Messages, each a request but for something about it, for ever."""
    while True:
        named = chance.sample(sorted(PROPERTIES), chance.randint(0, 5))
        headers = {"x" * chance.randint(1, 100): chance.choice(TOKENS) for _ in range(chance.randint(0, 3))}
        yield {
            "key": chance.choice(KEYS),
            "body": chance.choice(BODIES),
            "token": chance.choice(TOKENS),
            "headers": headers,
            "reply_to": chance.choice(ADDRESSES),
            **{name: chance.choice(PROPERTIES[name]) for name in named},
        }


@pytest.mark.timeout(180)
def test_5000_messages_that_make_no_sense_leave_the_door_open_and_its_queue_empty(town):
    (office,) = town.let_in("prankster")
    town.open_door(office, caller_rate=0.0)
    before = town.services.database("outreach")["venue"].count_documents({})
    with office.connected() as client:
        for message in islice(nonsense(random.Random(SEED)), MANY):
            client.send(**{name: value for name, value in message.items() if value is not None})
        until(lambda: client.waiting("door.requests") == 0, within=150)

        assert client.ask(REGISTER, HALL)["error"] is None

    assert town.serves(office)
    assert town.services.database("outreach")["venue"].count_documents({}) == before + 1
    town.close_door()


@pytest.mark.timeout(120)
def test_properties_of_any_type_range_and_depth_are_answered_or_dropped(town):
    """Each message is granted in its key and its body, and may be answered."""
    (office,) = town.let_in("scrambler")
    town.open_door(office, caller_rate=0.0)
    without = (properties.EXPIRATION, properties.USER_ID)  # the broker reads these itself
    hostile = properties.properties_of(random.Random(SEED), 300, without=without)
    with office.connected() as client:
        taken = office.send_raw(LIST, *hostile, properties.nested(DEEP), *map(properties.with_header, properties.EVIL))
        assert taken > 100
        until(lambda: client.waiting("door.requests") == 0, within=100)

        assert client.ask(LIST)["error"] is None

    assert town.serves(office)
    town.close_door()
