"""Events: CloudEvents on the wire, read strictly; nothing that is not ours gets through and nothing else is raised."""

import json
import uuid
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.contract import KINDS
from services.contract.event import COMMANDS, Event, NotAnEvent, UnknownVersion, cause_of, for_others, read
from tests.contract.views import any_view, samples_of

COUNT = KINDS["outreach.audience_count"]

plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def an_event(kind=COUNT, **changes):
    said = {
        "kind": kind,
        "record": "c-1",
        "version": 2,
        "happened": kind.happenings[0],
        "time": "2011-05-14T10:00:00.000+08:00",
        "actor": "u-wang",
        "cause": "command-7",
        "hash": "ab" * 32,
        "data": samples_of(kind)[0],
    }
    return Event(**{**said, **changes})


def said(**changes):
    """A sound event's JSON with some of its members changed; None takes a member away."""
    members = {**json.loads(an_event().write()), **changes}
    return json.dumps({name: value for name, value in members.items() if value is not None}).encode()


def test_an_event_is_a_cloud_event_whose_id_is_kind_record_and_version():
    written = json.loads(an_event().write())

    assert written["specversion"] == "1.0"
    assert written["id"] == "audience_count/c-1/2"
    assert written["source"] == "/outreach"
    assert written["type"] == "audience_count.recorded"
    assert written["subject"] == "c-1"
    assert written["dataschema"] == "/outreach/audience_count/1"
    assert written["sequence"] == "2"
    assert written["data"] == samples_of(COUNT)[0]


@pytest.mark.rule("X-08")
@pytest.mark.parametrize("command_id", ["c-1", "王小明 13812345678", "a/b", "audience_count/c-1/0"])
def test_a_command_is_named_as_a_cause_by_the_uuid_of_its_id(command_id):
    assert cause_of(command_id) == str(uuid.uuid5(COMMANDS, command_id))


def test_an_event_is_named_as_a_cause_by_its_id():
    assert cause_of(an_event().id) == "audience_count/c-1/2"


@given(any_view(), st.data(), st.integers(1, 10**17))
def test_an_event_is_read_as_it_was_written(kind_and_data, chance, version):
    kind, data = kind_and_data
    happened = chance.draw(st.sampled_from(kind.happenings))
    event = an_event(kind, data=data, version=version, happened=happened)

    assert read(event.write()) == event
    assert read(event.write()).view == kind.read(data)


def test_members_that_a_reader_does_not_know_are_ignored():
    assert read(said(traceparent="00-4bf9-00f0-01", partition=7)) == an_event()


@given(any_view(), st.lists(st.integers(1, 10**17), min_size=2, max_size=2, unique=True))
def test_for_others_an_event_names_its_schema_by_a_uri_and_its_sequence_sorts_as_a_text(kind_and_data, versions):
    kind, data = kind_and_data
    events = [an_event(kind, data=data, version=version, traceparent="00-4bf9") for version in versions]
    ours, theirs = [event.write() for event in events], [for_others(event.write()) for event in events]

    assert [read(body) for body in theirs] == events  # the form of the next release
    first, second = map(json.loads, theirs)
    assert urlsplit(first["dataschema"]).scheme == "urn"
    assert (first["sequence"] < second["sequence"]) == (versions[0] < versions[1])
    assert first | {"dataschema": None, "sequence": None} == json.loads(ours[0]) | {
        "dataschema": None,
        "sequence": None,
    }
    assert [for_others(body) for body in theirs] == theirs


def test_between_our_services_an_event_has_the_form_that_the_release_before_reads():
    written = json.loads(an_event().write())

    assert (written["dataschema"], written["sequence"]) == ("/outreach/audience_count/1", "2")


def test_what_is_no_event_of_ours_is_left_to_others_as_it_is():
    assert for_others(b"\xff") == b"\xff"
    assert for_others(said(hash=None)) == said(hash=None)


@pytest.mark.rule("X-11")
def test_an_unknown_major_version_is_refused_and_never_guessed():
    with pytest.raises(UnknownVersion, match="/outreach/audience_count/2"):
        read(said(dataschema="/outreach/audience_count/2"))


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"specversion": "0.3"}, "specversion"),
        ({"source": "/payroll"}, "unknown kind"),
        ({"source": "outreach"}, "unknown kind"),
        ({"source": "!outreach"}, "unknown kind"),
        ({"source": ""}, "unknown kind"),
        ({"type": "audience_count"}, "says nothing that happened"),
        ({"type": "salary.paid"}, "unknown kind"),
        ({"id": "audience_count/c-1/3"}, "audience_count/c-1/2"),
        ({"id": "audience_count/c-2/2"}, "audience_count/c-1/2"),
        ({"subject": "c-2"}, "audience_count/c-2/2"),
        ({"sequence": "0"}, "no version"),
        ({"sequence": "00"}, "no version"),
        ({"sequence": ""}, "no version"),
        ({"sequence": "+2"}, "no version"),
        ({"sequence": "２"}, "no version"),
        ({"sequence": "9" * 19}, "no version"),
        ({"sequence": "2\n"}, "no version"),
        ({"sequence": 2}, "sequence"),
        ({"sequence": None}, "sequence"),
        ({"hash": None}, "hash"),
        ({"data": None}, "data"),
        ({"data": []}, "data"),
        ({"data": {}}, "activity_id"),
    ],
)
def test_what_is_no_event_of_ours_is_refused_by_what_is_wrong_with_it(changes, named):
    with pytest.raises(NotAnEvent, match=named):
        read(said(**changes))


@given(st.binary(max_size=200))
def test_any_bytes_are_an_event_or_are_said_not_to_be_one(body):
    with pytest.raises(NotAnEvent):
        read(body)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[" * 100_000,
        b'{"specversion":"\xff"}',
        b'{"specversion":"1.0","id":"\\ud800"}',
        b'{"data":' * 50_000,
        said()[:-1] + b',"data":{"a":' + b"[" * 5_000 + b"]" * 5_000 + b"}}",
        said().replace(b"c-1", b"c-\xff"),
    ],
    ids=["nothing", "null", "deep", "no text", "half a character", "deep data", "deep unknown field", "no utf-8"],
)
def test_broken_json_is_said_not_to_be_an_event(body):
    with pytest.raises(NotAnEvent):
        read(body)


@given(st.sampled_from(sorted(json.loads(an_event().write()))), plain)
def test_one_member_that_is_something_else_never_raises_anything_but_not_an_event(name, value):
    try:
        event = read(json.dumps({**json.loads(an_event().write()), name: value}).encode())
    except NotAnEvent:
        return
    assert COUNT.read(event.data) == event.view


@given(st.integers(0, len(an_event().write()) - 1), st.integers(0, 255))
def test_one_byte_that_is_another_never_raises_anything_but_not_an_event(place, byte):
    body = bytearray(an_event().write())
    body[place] = byte

    try:
        event = read(bytes(body))
    except NotAnEvent:
        return
    assert event.kind is COUNT
