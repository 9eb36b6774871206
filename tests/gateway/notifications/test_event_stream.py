"""Live numbers over real connections: what is sent, how a listener comes back, and what it cannot do to others."""

import http.client
import json
import socket
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from time import monotonic

import eventlet
import pytest
from jsonschema import validate

from gateway.http.server import Server
from gateway.notifications import event_stream
from gateway.notifications.event_stream import EVENTS, EventStream
from gateway.notifications.kpi_snapshot import KpiSnapshot
from gateway.service import Gateway
from tests.gateway.conftest import Http
from tests.gateway.examples import an_event
from tests.stack import until

ADDRESS = "/api/v1/events"


@dataclass
class Listener:
    """A page that listens: reads one event after the other as a browser does."""

    connection: http.client.HTTPConnection
    response: http.client.HTTPResponse

    def read(self):
        """The next event or comment, by its fields; None at the end of the stream."""
        fields = {}
        while line := self.response.readline().decode():
            if line == "\n":
                return fields
            name, _, value = line.rstrip("\n").partition(": ")
            fields[name] = value
        return None

    def numbers(self):
        """The next event `numbers`: its id and what it says."""
        while "event" not in (fields := self.read()):
            pass
        assert fields["event"] == "numbers"
        numbers = json.loads(fields["data"])
        validate(numbers, EVENTS["contentSchema"])
        return fields["id"], numbers

    def until(self, code, value):
        """Wait for this number; the id of its event, and the codes of all KPIs that came until then."""
        codes = set()
        while True:
            id_, event = self.numbers()
            codes |= {kpi["code"] for kpi in event["kpis"]}
            if any((kpi["code"], kpi["value"]) == (code, value) for kpi in event["kpis"]):
                return id_, codes


@contextmanager
def listening(gateway, last=None, by=None):
    told = {"Last-Event-ID": last} if last else {}
    if by:
        told["Authorization"] = f"Bearer {gateway.running.token(by, ('viewer',))}"
    with closing(gateway.connect()) as connection:
        connection.request("GET", ADDRESS, headers=told)
        response = connection.getresponse()
        assert response.status == 200, response.read()
        yield Listener(connection, response)


@pytest.fixture
def second(second, gateway):
    return Second(gateway.running, second)


class Second(Http):
    def __init__(self, running, container):
        self.running, self.container = running, container


def streams(gateway):
    return len(gateway.extension(event_stream.EventStreamProvider).provide()._streams)


def test_a_listener_is_sent_all_numbers_and_then_those_that_change(gateway):
    with listening(gateway) as page:
        assert page.response.headers["Content-Type"].startswith("text/event-stream")
        assert page.read() == {"retry": "3000"}
        _, all_of_them = page.numbers()
        known = gateway.get("/api/v1/plans/2011/progress").body
        codes = {kpi["code"] for item in known["items"] for kpi in item["kpis"]}
        assert {kpi["code"] for kpi in all_of_them["kpis"]} == codes
        assert {(kpi["value"], kpi["state"]) for kpi in all_of_them["kpis"]} == {(None, "none")}

        gateway.take(an_event())
        _, changed = page.numbers()

    (kpi,) = [kpi for kpi in changed["kpis"] if kpi["code"] == "K2"]
    assert (kpi["plan"], kpi["value"], kpi["state"]) == (2011, 300, "value")
    assert (kpi["unit"]["scale"], kpi["text"]["zh"]) == (1, "300人次")
    assert {kpi["code"]: kpi["unit"]["scale"] for kpi in all_of_them["kpis"]}["K5"] == 100
    assert {kpi["code"] for kpi in changed["kpis"]} < codes
    assert changed["revision"] > all_of_them["revision"]


def test_every_gateway_streams_the_same_numbers(gateway, second):
    with listening(gateway) as first, listening(second) as second_page:
        assert first.numbers()[1]["kpis"] == second_page.numbers()[1]["kpis"]

        gateway.take(*(an_event(record=f"c-{number}") for number in range(5)))

        assert first.until("K2", 1_500)[0] == second_page.until("K2", 1_500)[0]


def test_a_listener_that_comes_back_is_sent_what_it_missed(gateway):
    with listening(gateway) as stays:
        with listening(gateway) as page:
            last, _ = page.numbers()
        gateway.take(an_event("rural.association", "as-1"))
        stays.until("K3", 1)
        gateway.take(an_event())
        newest, _ = stays.until("K2", 300)

        with listening(gateway, last) as again:
            id_, missed = again.numbers()
        with listening(gateway, newest) as again:
            gateway.take(an_event(record="c-2"))
            _, further = again.numbers()

    assert (id_, {"K2", "K3"} <= {kpi["code"] for kpi in missed["kpis"]}) == (newest, True)
    assert "K1" not in {kpi["code"] for kpi in missed["kpis"]}
    assert "K3" not in {kpi["code"] for kpi in further["kpis"]}


@pytest.mark.parametrize("unknown", ["7", "7.abc", "x", "1.0123456789abcdef"])
def test_a_listener_that_comes_back_from_what_nobody_remembers_is_sent_all(gateway, unknown):
    with listening(gateway, unknown) as page:
        _, numbers = page.numbers()

    assert {"K1", "K2", "K3"} <= {kpi["code"] for kpi in numbers["kpis"]}


def test_a_silent_stream_says_that_it_is_alive(gateway, monkeypatch):
    monkeypatch.setattr(event_stream, "HEARTBEAT", 0.2)

    with listening(gateway) as page:
        page.numbers()

        assert page.read() == {"": "here"}


def test_streams_hold_no_place_of_a_request_and_end_at_once_when_the_gateway_stops(gateway):
    with listening(gateway) as page:
        page.numbers()
        until(lambda: gateway.extension(Server).busy == 0)

        since = monotonic()
        stopping = eventlet.spawn(gateway.running.stop, "gateway")
        while page.read() is not None:
            pass
        assert monotonic() - since < 1
        stopping.wait()


def test_no_more_streams_than_the_setting_says_and_a_place_becomes_free(running, monkeypatch):
    monkeypatch.setattr(event_stream, "HEARTBEAT", 0.1)
    running.settings = replace(running.settings, http_streams=2)
    gateway = Http(running.start(Gateway))

    with listening(gateway):
        refused = gateway.get(ADDRESS, token="")
        assert (refused.status, refused.body["code"], refused.headers["Retry-After"]) == (503, "overloaded", "1")
        with listening(gateway, by="u-li"):
            assert gateway.get(ADDRESS, by="u-wang").status == 503
    until(lambda: streams(gateway) == 0)

    with listening(gateway) as page:
        page.numbers()


def test_a_question_for_the_head_alone_takes_no_place(gateway):
    assert gateway.ask("HEAD", ADDRESS, token="").status == 200

    assert streams(gateway) == 0


def test_a_listener_that_reads_nothing_holds_up_nobody(gateway, monkeypatch):
    monkeypatch.setattr(event_stream, "HEARTBEAT", 0.001)  # so that its connection is soon full
    with socket.create_connection(("127.0.0.1", gateway.extension(Server).port)) as deaf:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
        deaf.sendall(f"GET {ADDRESS} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        until(lambda: streams(gateway) == 1)

        with listening(gateway) as page:
            page.numbers()
            for number in range(1, 4):
                gateway.take(an_event(record=f"c-{number}"))
                page.until("K2", 300 * number)


def test_numbers_are_read_only_while_somebody_listens_and_only_when_something_came_in(gateway, monkeypatch):
    query_service = gateway.extension(event_stream.SharedQueryService).query_service
    read, real = [], query_service.progress
    monkeypatch.setattr(query_service, "progress", lambda year, wanted: read.append(year) or real(year, wanted))
    monkeypatch.setattr(event_stream, "HEARTBEAT", 0.1)
    gateway.take(an_event())
    assert read == []

    with listening(gateway) as page:
        page.numbers()
        looked, looks = query_service.revision, []
        monkeypatch.setattr(query_service, "revision", lambda: looks.append(1) or looked())
        until(lambda: len(looks) > 3)

    assert read == ["2011"]


def test_a_stream_goes_on_after_a_mistake_of_ours(gateway, monkeypatch):
    real, broken = EventStream._look, []

    def look(streams):
        if not broken:
            broken.append(streams)
            raise RuntimeError("the password is 1234")
        real(streams)

    monkeypatch.setattr(EventStream, "_look", look)

    with listening(gateway) as page:
        assert page.numbers()[1]["kpis"]
        assert broken


class FixedNumbers:
    """A query service whose numbers a test sets."""

    def __init__(self):
        self.value, self.now = 0, 1

    def revision(self):
        return self.now

    def plans(self):
        return {"plans": [{"year": 2011}]}

    def progress(self, *_):
        kpi = {"code": "K2", "value": self.value, "state": "value", "status": {"code": "behind", "rule": "..."}}
        kpi |= {
            "unit": {"zh": "人次", "en": "person-times", "scale": 1},
            "text": {"zh": "300人次", "en": "300 person-times"},
        }
        return {"plan": {"year": 2011}, "as_of": "2011-05-14T10:00:00+08:00", "items": [{"kpis": [kpi]}]}


def test_what_comes_between_two_writes_is_not_kept_and_the_newest_always_is():
    query_service = FixedNumbers()
    streams = EventStream(query_service, None, at_most=1)
    streams._look()
    stream = event_stream.Stream(streams, None)
    next(stream), next(stream)

    for value in (1, 2, 3):
        query_service.value, query_service.now = value, query_service.now + 1
        streams._look()

    numbers = json.loads(next(stream).partition(b"data: ")[2])
    assert [(kpi["value"], kpi["status"]) for kpi in numbers["kpis"]] == [(3, "behind")]


def test_a_status_that_changes_with_the_day_alone_is_sent_too(monkeypatch):
    query_service = FixedNumbers()
    streams = EventStream(query_service, None, at_most=1)
    streams._look()
    query_service.value = 1
    streams._look()
    assert streams.newest.kpis[2011, "K2"]["value"] == 0

    monkeypatch.setattr(event_stream, "READ_AGAIN", 0.0)
    streams._look()

    assert streams.newest.kpis[2011, "K2"]["value"] == 1


def test_only_so_many_numbers_of_the_past_are_remembered(monkeypatch):
    monkeypatch.setattr(event_stream, "REMEMBERED", 3)
    streams = EventStream(FixedNumbers(), None, at_most=1)

    for value in range(10):
        streams._remember(KpiSnapshot(value, "", {(2011, "K2"): {"value": value}}))

    assert [known.revision for known in streams._remembered.values()] == [7, 8, 9]
