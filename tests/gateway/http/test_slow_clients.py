"""Clients that hold what they do not use: hundreds of connections of six slow kinds, and a clerk who is answered."""

import http.client
from contextlib import ExitStack, contextmanager
from dataclasses import replace

import pytest

from gateway.http import connections, request_body
from gateway.http import server as http_server
from gateway.http.connections import SHARE, Connections
from gateway.http.server import Server
from services.chassis.problem import Overloaded
from tests.gateway.people import Person, add_user
from tests.slow_clients import KINDS, of_network, slow_clients
from tests.stack import until

OPEN, EACH = 200, 150  # connections at once, and of each kind


def clients(gateway, sent, *, number=EACH, address=lambda _: "127.9.9.9"):
    return slow_clients(gateway.extension(Server).port, sent, number=number, address=address)


@pytest.fixture
def settings(settings):
    return replace(settings, http_connections=OPEN, http_streams=16)


@pytest.fixture
def clerk(gateway):
    add_user(gateway, "wang")
    return Person(gateway, "wang")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("address", [lambda _: "127.9.9.9", of_network(10)], ids=["one", "many"])
def test_a_clerk_is_answered_beside_slow_clients_of_one_address_and_of_many(gateway, clerk, kind, address):
    server = gateway.extension(Server)
    with clients(gateway, KINDS[kind], number=OPEN + 50, address=address):
        until(lambda: server.places.taken == 0)  # they are slow, and no flood
        for _ in range(5):
            assert clerk.get("/api/v1/plans/2011/progress").status == 200
            assert clerk.get("/api/v1/kpis/K1").status == 200
        assert Person(gateway, "wang").answered.status == 200
        assert gateway.get("/health", token="").status == 200

        assert len(server.connections._open) <= OPEN
        if kind != "streams":
            assert all(len(own) <= OPEN // SHARE for own in server.connections._by_address.values())

    until(lambda: server.busy == server.places.taken == server.connections._held == 0)


def test_a_clerk_is_answered_beside_slow_clients_of_all_kinds_at_once(gateway, clerk):
    with ExitStack() as opened:
        for number, said in enumerate(KINDS.values()):
            opened.enter_context(clients(gateway, said, address=lambda _, own=number: f"127.9.9.{1 + own}"))
        until(lambda: gateway.extension(Server).places.taken == 0)
        for _ in range(5):
            assert clerk.get("/api/v1/plans/2011/progress").status == 200
            assert clerk.get("/api/v1/plans/2011/progress.xlsx").status == 200
            assert clerk.post("/api/v1/logout", csrf="").status == 403

    server = gateway.extension(Server)
    until(lambda: server.busy == server.places.taken == server.connections._held == 0)
    until(lambda: not server.connections._given_up)


def test_a_connection_that_trickles_is_ended_with_408_and_holds_no_place(gateway, monkeypatch):
    monkeypatch.setattr(http_server, "SILENT", 0.2)
    with closing_connection(gateway) as slow:
        slow.putrequest("POST", "/api/v1/login")
        slow.putheader("Content-Type", "application/json")
        slow.putheader("Content-Length", "900")
        slow.endheaders()
        slow.send(b"{")

        answered = slow.getresponse()
        assert (answered.status, answered.headers["Connection"]) == (408, "close")
        assert b"too_slow" in answered.read()
        assert slow.sock is None or slow.sock.recv(1) == b""


def test_a_body_at_the_slowest_rate_is_read_and_one_below_it_is_not(monkeypatch):
    monkeypatch.setattr(request_body, "monotonic", watch := Watch())

    def body(bytes_per_second):
        return request_body.PacedBody(Trickle(watch, bytes_per_second), 1.0)

    fast = body(request_body.SLOWEST)
    assert sum(len(fast.read(10_000)) for _ in range(100)) == 1_000_000

    slow = body(request_body.SLOWEST // 4)
    assert slow.read(10_000) + slow.read(10_000)
    with pytest.raises(request_body.TooSlow):
        slow.read(10_000)


def test_an_answer_that_nobody_reads_is_given_up(gateway, monkeypatch):
    monkeypatch.setattr(http_server, "SILENT", 0.2)
    with clients(gateway, KINDS["answers not read"] * 30, number=10):
        server = gateway.extension(Server)
        until(lambda: server.connections._held > 0)

        until(lambda: not server.connections._open)


def test_the_address_that_has_most_gives_up_what_has_waited_longest():
    open_ones, socks = Connections(8), [Sock(f"a{n}") for n in range(2)] + [Sock(f"b{n}") for n in range(1)]
    for sock in socks:
        open_ones.add(sock, sock.name[0])
    open_ones.go_on(socks[0])  # is at work, and does not wait

    for number in range(5):
        open_ones.add(Sock(f"c{number}"), f"c{number}")
    open_ones.wait(socks[0], "a")
    open_ones.add(Sock("d"), "d")

    assert [sock.ended for sock in socks] == [False, True, False]
    assert len(open_ones._open) == 8


def test_a_newcomer_is_refused_only_where_every_connection_is_at_work():
    open_ones = Connections(1)
    open_ones.add(sock := Sock("a"), "a")
    open_ones.go_on(sock)

    with pytest.raises(Overloaded):
        open_ones.add(Sock("b"), "b")


def test_a_body_or_an_answer_under_way_gives_no_room_to_newcomers_for_a_second(monkeypatch):
    monkeypatch.setattr(connections, "monotonic", watch := Watch())
    open_ones = Connections(1)
    open_ones.add(sock := Sock("a"), "a")
    open_ones.wait(sock, "a", sends=True, grace=connections.GRACE)

    with pytest.raises(Overloaded):
        open_ones.add(Sock("b"), "b")
    watch.now += connections.GRACE
    open_ones.add(Sock("c"), "c")

    assert sock.ended


def test_a_connection_that_was_given_up_does_not_wait_again():
    open_ones, first, second = Connections(1), Sock("first"), Sock("second")
    open_ones.add(first, "a")
    open_ones.add(second, "a")

    open_ones.wait(first, "a")

    assert (first.ended, second.ended, list(open_ones._waits)) == (True, False, [second])


def test_who_keeps_most_bytes_gives_way_and_is_told():
    open_ones = Connections(100, memory=1_000)
    large, small = Sock("a"), Sock("b")
    open_ones.wait(small, "b", holding=100)

    with pytest.raises(Overloaded), open_ones.waiting(large, "a", holding=600):
        open_ones.wait(Sock("c"), "c", holding=500)

    assert (large.ended, small.ended, open_ones._held) == (True, False, 600)


@contextmanager
def closing_connection(gateway):
    connection = http.client.HTTPConnection("127.0.0.1", gateway.extension(Server).port, timeout=20)
    yield connection
    connection.close()


class Watch:
    now = 1_000.0

    def __call__(self):
        return self.now


class Trickle:
    """A body that comes in at a rate; the time that it takes passes at once."""

    def __init__(self, watch, rate):
        self.watch, self.rate = watch, rate

    def read(self, size):
        self.watch.now += size / self.rate
        return b"x" * size


class Sock:
    def __init__(self, name):
        self.name, self.ended = name, False

    def shutdown(self, _):
        self.ended = True
