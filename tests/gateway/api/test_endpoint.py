"""HTTP as the gateway speaks it, shown on a service that does nothing else."""

import http.client
import json
import socket
from dataclasses import replace

import eventlet
import pytest
from eventlet.event import Event as Signal
from nameko.containers import ServiceContainer
from pymongo.errors import AutoReconnect
from structlog.testing import capture_logs
from werkzeug.wrappers import Response

from gateway.api.endpoint import endpoint
from gateway.http import server as http_server
from gateway.http.messages import Reply
from gateway.http.server import Server
from services.chassis.problem import Conflict
from tests.stack import until


class Counter:
    """Answers at some addresses, each in its own way."""

    name = "counter"

    asked, answer = Signal(), Signal()

    @endpoint("GET", "/plain", public=True)
    def plain(self, _):
        return {"人次": 3}

    @endpoint("GET", "/things/<name>", public=True)
    def thing(self, _, name):
        return Reply({"name": name}, headers={"ETag": '"1"'})

    @endpoint("GET", "/refused", public=True)
    def refused(self, _):
        raise Conflict("Taken.", "已被占用。", id="x")

    @endpoint("GET", "/broken", public=True)
    def broken(self, _):
        raise RuntimeError("the password is 1234")

    @endpoint("GET", "/no-database", public=True)
    def no_database(self, _):
        raise AutoReconnect("10.0.0.7:27017 refused")

    @endpoint("POST", "/size", public=True)
    def size(self, request):
        return {"bytes": len(request.content)}

    @endpoint("GET", "/slow", public=True)
    def slow(self, _):
        self.asked.send()
        self.answer.wait()
        return {"done": True}

    @endpoint("GET", "/stream", public=True)
    def stream(self, _):
        return Streamed(self.answer)

    @endpoint("GET", "/private")
    def private(self, request):
        return {"id": request.actor.id}


class Streamed(Reply):
    """An event at once, and another when it is told."""

    def __init__(self, told):
        super().__init__(None)
        self.__dict__["told"] = told

    def response(self):
        return Response(self.events(), content_type="text/event-stream")

    def events(self):
        yield b"data: 1\n\n"
        self.told.wait()
        yield b"data: 2\n\n"


@pytest.fixture
def container(settings):
    Counter.asked, Counter.answer = Signal(), Signal()
    made = ServiceContainer(Counter, {"SETTINGS": settings, "WEB_SERVER_ADDRESS": "127.0.0.1:0", "max_workers": 10})
    made.start()
    yield made
    if not Counter.answer.ready():
        Counter.answer.send()
    made.stop()


@pytest.fixture
def port(container):
    return server(container).port


def server(container):
    (found,) = [one for one in container.extensions if isinstance(one, Server)]
    return found


def ask(port, path, method="GET", body=None, **headers):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    told = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, path, body, told, encode_chunked=True)
    response = connection.getresponse()
    content = response.read()
    connection.close()
    return response, json.loads(content) if content else None


def test_what_a_method_returns_is_sent_as_json(port):
    response, body = ask(port, "/plain")

    assert (response.status, response.headers["Content-Type"], body) == (200, "application/json", {"人次": 3})
    response, body = ask(port, "/things/%E7%AB%99")
    assert (response.headers["ETag"], body) == ('"1"', {"name": "站"})
    response, body = ask(port, "/plain", "HEAD")
    assert (response.status, int(response.headers["Content-Length"]) > 0, body) == (200, True, None)


def test_a_problem_is_told_in_the_caller_s_language_and_in_both(port):
    preferences = {
        "": "zh", "zh-CN": "zh", "fr": "zh", "en": "en", "en-US,zh;q=0.5": "en", "en;q=0.4, zh;q=0.3": "en",
        "en;q=0": "zh", "en;q=0, *": "zh", "en-US;q=0.2, zh-Hans;q=0.3": "zh", "EN-gb": "en", "fr, en;q=0.1": "en",
        "*": "zh", "zh;q=0, *": "en", "zh;q=0": "en", "*;q=0": "zh", "zh, en": "zh", "en, zh": "en", ";;q=,=": "zh",
    }  # fmt: skip
    for asked, language in preferences.items():
        response, body = ask(port, "/refused", Accept_Language=asked)

        assert (response.status, response.headers["Content-Language"]) == (409, language), asked
        assert response.headers["Content-Type"] == "application/problem+json"
        assert body == body | {
            "type": "urn:kexie:problem:conflict", "status": 409, "code": "conflict", "detail": body[language],
            "zh": "已被占用。", "en": "Taken.", "involved": {"id": "x"}, "errors": [],
        }  # fmt: skip


def test_an_address_or_method_that_is_not_there_is_a_problem_too(port):
    for path in ("/nothing", "/plain/", "/things//a", "/things/a/b"):
        response, body = ask(port, path)
        assert (response.status, body["code"]) == (404, "not_found"), path

    response, body = ask(port, "/plain", "DELETE")
    assert (response.status, body["code"]) == (405, "method_not_allowed")
    assert set(response.headers["Allow"].split(", ")) == {"GET", "HEAD"}


def test_our_own_mistakes_say_nothing_of_their_innards(port):
    with capture_logs() as logged:
        response, body = ask(port, "/broken")
    assert (response.status, body["code"]) == (500, "malfunction")
    assert "1234" not in str(body)
    assert [(line["error"], line["route"]) for line in logged if line["event"] == "malfunction"] == [
        ("RuntimeError", "/broken")
    ]
    assert "1234" not in str(logged)

    response, body = ask(port, "/no-database")
    assert (response.status, body["code"], response.headers["Retry-After"]) == (503, "unavailable", "1")
    assert "10.0.0.7" not in str(body)


def test_a_private_address_needs_a_token_that_is_ours(port, running):
    token = running.token()

    assert ask(port, "/private", Authorization=f"Bearer {token}")[1] == {"id": "u-li"}
    assert ask(port, "/private", Authorization=f"bearer {token}")[0].status == 200
    for wrong in (
        {},
        {"Authorization": token},
        {"Authorization": f"Basic {token}"},
        {"Authorization": f"Bearer {token}x"},
    ):
        response, body = ask(port, "/private", **wrong)
        assert (response.status, response.headers["WWW-Authenticate"]) == (401, "Bearer"), wrong
        assert body["code"] == "not_authenticated"


def test_a_body_may_have_exactly_the_limit_and_comes_whole_in_chunks(port, settings):
    limit = settings.request_limit

    assert ask(port, "/size", "POST", b"x" * limit)[1] == {"bytes": limit}
    assert ask(port, "/size", "POST", b"x" * (limit + 1))[0].status == 413
    assert ask(port, "/size", "POST", iter([b"x" * 70_000] * 3), Transfer_Encoding="chunked")[1] == {"bytes": 210_000}
    assert ask(port, "/size", "POST", iter([b"x" * limit, b"x"]), Transfer_Encoding="chunked")[0].status == 413


def test_an_event_stream_is_sent_event_by_event(port):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", "/stream")
    response = connection.getresponse()

    assert response.read(9) == b"data: 1\n\n"
    Counter.answer.send()
    assert response.read(9) == b"data: 2\n\n"
    connection.close()


def test_half_a_request_does_not_hold_a_connection_for_ever(settings, monkeypatch):
    monkeypatch.setattr(http_server, "SILENT", 0.2)
    made = ServiceContainer(Counter, {"SETTINGS": settings, "WEB_SERVER_ADDRESS": "127.0.0.1:0"})
    made.start()

    with socket.create_connection(("127.0.0.1", server(made).port), timeout=10) as half:
        half.sendall(b"GET /plain HTTP/1.1\r\nHost:")
        assert half.recv(1_000) == b""

    made.stop()


@pytest.mark.parametrize(
    "begun", [b"GET /pl", b"GET /plain HTTP/1.1\r\nHost: a", b"POST /size HTTP/1.1\r\nContent-Length: 900\r\n\r\nx"]
)
def test_a_request_that_trickles_in_is_let_go_of(settings, monkeypatch, begun):
    monkeypatch.setattr(http_server, "SILENT", 0.4)
    monkeypatch.setattr(http_server, "IDLE", 0.4)
    made = ServiceContainer(Counter, {"SETTINGS": settings, "WEB_SERVER_ADDRESS": "127.0.0.1:0"})
    made.start()

    with socket.create_connection(("127.0.0.1", server(made).port), timeout=10) as slow:
        slow.sendall(begun)
        until(lambda: trickles(slow))

    until(lambda: server(made).busy == 0)
    made.stop()


def trickles(slow):
    """One letter more; true once nobody reads any."""
    try:
        slow.sendall(b"x")
    except OSError:
        return True
    return False


def test_a_connection_that_breaks_off_reaches_nobody_else(port, container):
    for begun in (
        b"",
        b"\x16\x03\x01\x02",
        b"GET /plain HTTP/1.1\r\nHost: a\r\n\r\n",
        b"POST /size HTTP/1.1\r\nContent-Length: 9\r\n\r\nx",
    ):
        with socket.create_connection(("127.0.0.1", port)) as half:
            half.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")  # reset, not closed
            half.sendall(begun)

    assert ask(port, "/plain")[0].status == 200
    until(lambda: server(container).busy == 0)


def test_a_stop_answers_what_was_asked_and_takes_nothing_new(port, container):
    waiting = eventlet.spawn(ask, port, "/slow")
    kept = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    kept.request("GET", "/plain")
    kept.getresponse().read()
    Counter.asked.wait()

    stopping = eventlet.spawn(container.stop)
    until(lambda: server(container).is_closed)
    kept.request("GET", "/plain")
    refused = kept.getresponse()
    assert (refused.status, json.loads(refused.read())["code"]) == (503, "unavailable")
    with pytest.raises(ConnectionRefusedError):
        ask(port, "/plain")

    Counter.answer.send()
    stopping.wait()
    response, body = waiting.wait()
    assert (response.status, body) == (200, {"done": True})


class TestOneConnection:
    @pytest.fixture
    def settings(self, settings):
        return replace(settings, http_connections=1)

    def test_a_newcomer_waits_while_all_are_at_work_and_takes_the_room_of_one_that_waits_for_its_client(self, port):
        first = eventlet.spawn(ask, port, "/slow")
        Counter.asked.wait()
        second = eventlet.spawn(ask, port, "/plain")

        Counter.answer.send()
        assert (first.wait()[0].status, second.wait()[0].status) == (200, 200)

        with socket.create_connection(("127.0.0.1", port), timeout=10) as silent:
            assert ask(port, "/plain")[0].status == 200
            assert silent.recv(1) == b""


def test_a_port_that_is_taken_is_an_error_and_not_shared(port, settings):
    second = ServiceContainer(Counter, {"SETTINGS": settings, "WEB_SERVER_ADDRESS": f"127.0.0.1:{port}"})

    with pytest.raises(OSError, match="Address already in use"):
        second.start()
