"""The gateway's HTTP server: from a connection to a request and back, whatever happens on the way.

nameko runs eventlet's WSGI server with its defaults. This module keeps both and mends what they leave open; each item
can go once the place it names has changed:

* Chunked bodies are read as empty: eventlet does not set `wsgi.input_terminated`, without which werkzeug takes a body
  of unknown length for none (pallets/werkzeug#1149). `Protocol` sets it.
* Requests are read leniently, so that two readers may find different ones in the same bytes. `framing` does not.
* Half a request is waited for without end: nameko passes no `socket_timeout`, and that one starts anew with every byte
  (eventlet/eventlet#43, #116). `Protocol`, `PacedBody` and `Sending` set deadlines for the line, the headers, the body
  and the reading of the answer.
* A stranger can share the port: `eventlet.listen` sets `SO_REUSEPORT` (eventlet/eventlet#411). `Server.start` does not.
* Server-sent events wait until 4 KB have come together (eventlet/eventlet#236). `App` lowers the chunk for them.
* A connection that breaks at the wrong moment ends the process: nameko's container stops on an error in any thread that
  it manages, and its `WebServer.process_request` stops one single error (nameko/nameko#368). `Server` logs them all.
* Responses under way are cut off when the process stops: `WebServer.stop` waits for none. `Server.stop` does.
* Nothing limits connections or requests at once. `Server` does: it refuses what is beyond (`admission`), and those that
  wait for their client give way (`connections`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import cache, partial
from time import monotonic
from typing import Any

import eventlet
import eventlet.wsgi
from eventlet.event import Event as Signal
from nameko.web.server import HttpOnlyProtocol, WebServer, WsgiApp
from prometheus_client import Counter, Histogram
from structlog import get_logger
from werkzeug.routing import Map, Rule

from gateway.http import framing
from gateway.http.admission import Places, Turns, pools
from gateway.http.caching import finish
from gateway.http.connections import GRACE, UNKNOWN, Connections
from gateway.http.errors import error_response
from gateway.http.messages import Request, Response, network
from gateway.http.request_body import SLOWEST, PacedBody, drain
from services.chassis import trace
from services.chassis.problem import Overloaded, Unavailable
from services.chassis.rate_limiter import RateLimiter

IDLE = 15  # seconds that a connection may wait for its next request
SILENT = 30  # seconds between two bytes of a request, and for its headers or a usual body in all
ALWAYS = ("/health", "/ready", "/metrics")  # answered also by a gateway that is full
EVENT_STREAM = "text/event-stream"
LOOK = 0.02  # seconds between two looks for room for one more connection
AT_A_TURN = 16  # requests that begin before those under way go on
WAITED = "kexie.waited"  # the seconds that a request has waited for its turn, in its WSGI environment
CLOSE = "kexie.close"  # in the same place: closes the connection after the response
HSTS = "max-age=31536000"  # a year in which a browser comes over TLS only
LAST_WORDS = 5.0  # seconds that responses under way may take when the process stops

REQUESTS = Counter("kexie_http_requests", "HTTP requests answered, by route and status.", ["route", "status"])
SECONDS = Histogram(
    "kexie_http_seconds", "Time from a request's headers to its answer, which is not sent yet.", ["route"],
    buckets=(0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
)  # fmt: skip

log = get_logger()


class App(WsgiApp):
    """Answers every request, also where routing, the endpoint or the request itself fails."""

    def __init__(self, server: Server, providers: Iterable[Any]) -> None:
        self.server = server
        self._providers = {(provider.method, provider.url): provider for provider in providers}
        self._routes = _routes(frozenset(self._providers))

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        request = self._request(environ)
        self.server.busy += 1
        response = self._respond(request)
        for note in self.server.after_each:
            note(request, response.status_code)
        if not self._drained(request):
            environ[CLOSE]()
        response.call_on_close(request.close)  # and with it the files of a form
        if response.mimetype == EVENT_STREAM:
            environ["eventlet.minimum_write_chunk_size"] = 0  # else events wait until 4 KB have come together
            self.server.answered()  # it lasts for hours, and delays no stop
            return response(environ, start_response)
        response.call_on_close(self.server.answered)
        return Sending(response, request, start_response, self.server.connections)

    def _drained(self, request: Request) -> bool:
        try:
            with self.server.connections.waiting(request.socket, request.network):
                return drain(request.environ)
        except Overloaded:  # others needed the connection more
            return False

    def _request(self, environ: dict[str, Any]) -> Request:
        if self.server.settings.http_behind_tls:
            _use_address_from_proxy(environ)
        environ["wsgi.input"] = PacedBody(environ["wsgi.input"], SILENT)
        request = Request(environ)
        request.max_content_length = self.server.settings.request_limit
        request.while_it_comes_in = partial(self.server.while_it_comes_in, request)
        return request

    def _respond(self, request: Request) -> Response:
        if request.path in ALWAYS:
            return self._answer(request)
        with trace.span("server", "HTTP", request.headers.get(trace.HEADER)) as span:
            response = self._answer(request)
            span.set_response(
                f"{request.method} {request.route}" if request.route != "-" else "HTTP", response.status_code
            )
        return response

    def _answer(self, request: Request) -> Response:
        public, began = True, monotonic()
        try:
            if request.path not in ALWAYS and self.server.places.is_full(request.environ[WAITED]):  # first: it is cheap
                raise Overloaded(at="gateway")
            route, request.path_values = self._routes.bind_to_environ(request.environ).match()
            provider = self._providers[route]
            request.route, public = provider.url, provider.public
            if self.server.is_closed:
                raise Unavailable("The gateway is stopping.", "网关正在停止。")
            with self.server.places.place():
                response = provider.handle_request(request)
        except Exception as error:  # noqa: BLE001 - every error is answered, and logged where it is our mistake
            response = error_response(error, request, route=request.route)
        finish(response, request, public=public)
        if self.server.settings.http_behind_tls:
            response.headers["Strict-Transport-Security"] = HSTS
        REQUESTS.labels(request.route, response.status_code).inc()
        SECONDS.labels(request.route).observe(monotonic() - began)
        return response


@cache
def _routes(endpoints: frozenset[tuple[str, str]]) -> Map:
    """Compile the routes to endpoints of these methods and addresses, which takes werkzeug a tenth of a second."""
    return Map([Rule(url, methods=[method], endpoint=(method, url)) for method, url in sorted(endpoints)])


def _use_address_from_proxy(environ: dict[str, Any]) -> None:
    """Take the last address, which our proxy has added: the caller may have written those before it."""
    if forwarded := environ.get("HTTP_X_FORWARDED_FOR", ""):
        environ["REMOTE_ADDR"] = forwarded.rpartition(",")[2].strip()


class Sending(Iterator[bytes]):
    """A response on its way, which its client has to read at `SLOWEST`; else it would hold the connection for hours."""

    def __init__(
        self, response: Response, request: Request, start_response: Callable[..., Any], connections: Connections
    ) -> None:
        size = response.content_length or response.calculate_content_length() or 0
        in_memory = size if response.is_sequence else 0
        self._parts: Any = response(request.environ, start_response)
        self._sock, self._connections = request.socket, connections
        self._deadline = eventlet.Timeout(SILENT + size / SLOWEST, TimeoutError("the answer is read too slowly"))
        connections.wait(self._sock, request.network, holding=in_memory, sends=True, grace=GRACE)

    def __next__(self) -> bytes:
        part: bytes = next(self._parts)
        return part

    def close(self) -> None:
        """Free what the response holds: it has been sent, or its client has gone."""
        self._deadline.cancel()
        self._connections.go_on(self._sock)
        self._parts.close()


class Protocol(HttpOnlyProtocol):
    """One connection, with deadlines; its files are closed also where it broke off."""

    rfile: Any

    def handle_one_request(self) -> None:
        """Wait for a request, and answer it."""
        self._wait_for_client()
        super().handle_one_request()

    def parse_request(self) -> bool:
        """Wait for a turn, then read the headers; the first line has been read, so there is a request."""
        self._connections.go_on(self.connection)
        self._waited = self.server.app.server.turns.wait()
        self._wait_for_client()
        try:
            with eventlet.Timeout(SILENT, TimeoutError("the headers take too long")):
                is_read = self._read_headers()
        except framing.BrokenRequest as broken:
            self.wfile.write(framing.refusal(broken))
            self.close_connection, is_read = True, False
        self._connections.go_on(self.connection)
        return is_read

    @property
    def _connections(self) -> Connections:
        connections: Connections = self.server.app.server.connections
        return connections

    def _wait_for_client(self) -> None:
        self._connections.wait(self.connection, self.server.app.server.peer(self.client_address))

    def _read_headers(self) -> bool:
        framing.check_request_line(self.raw_requestline)
        self.rfile = framing.HeaderLines(self.rfile.fp)
        is_read: bool = super().parse_request()
        if is_read:
            framing.check_headers(self.headers, self.request_version)
        return is_read

    def _read_request_line(self) -> bytes:
        with eventlet.Timeout(IDLE + SILENT, TimeoutError("the first line takes too long")):
            line: bytes = super()._read_request_line()
            return super()._read_request_line() if line == framing.LAST_LINE else line  # some clients send one too many

    def get_environ(self) -> dict[str, Any]:
        """Add the seconds that the request has waited for its turn, and how to close the connection after it."""
        environ = super().get_environ() | {WAITED: self._waited, CLOSE: self._close}
        if environ["eventlet.input"].chunked_input:
            body = framing.ChunkedBody.instead_of(environ["eventlet.input"])
            environ |= {"wsgi.input": body, "eventlet.input": body, "wsgi.input_terminated": True}
        return environ

    def _close(self) -> None:
        self.close_connection = True

    def finish(self) -> None:
        """Close the connection, whatever its last write did."""
        try:
            super().finish()
        finally:
            self.rfile.close()
            self.connection.close()


class Server(WebServer):
    """The gateway's port, shared by all of its endpoints."""

    def __init__(self) -> None:
        super().__init__()
        self.after_each: list[Callable[[Request, int], None]] = []  # called with each request and its status
        self.at_stop: list[Callable[[], None]] = []  # called once the last request was answered

    def setup(self) -> None:
        """Read the settings; no connection is accepted before `start`."""
        self.settings = self.container.config["SETTINGS"]
        self.rate_limiter = RateLimiter(self.settings.caller_rate)
        self._gt: Any = None
        self.connections = Connections(self.settings.http_connections)
        self.places = Places(self.settings.http_at_once)
        self.pools = pools()
        self.turns = Turns(AT_A_TURN)
        self.busy = 0  # requests that are not answered yet
        self.is_closed = False
        self.at_close: list[Callable[[], None]] = []
        self._idle = Signal()

    @contextmanager
    def while_it_comes_in(self, request: Request) -> Iterator[None]:
        """Read the request's body as long as the block runs; meanwhile its place is for others.

        Raises `Overloaded` where the connection had to give way, or all places are taken afterwards.
        """
        in_memory = min(request.owed, self.settings.request_limit)
        with self.places.lent(), self.connections.waiting(request.socket, request.network, holding=in_memory):
            yield
        if self.places.taken > self.places.at_once:
            raise Overloaded(at="gateway")

    def peer(self, address: tuple[str, int]) -> str:
        """The address at the other end of a connection; behind a proxy it is not the caller's."""
        return UNKNOWN if self.settings.http_behind_tls else network(address[0])

    @property
    def port(self) -> int:
        """The port in use, also where the settings left the choice to the system."""
        return self._sock.getsockname()[1]

    def start(self) -> None:
        """Listen, once, however many endpoints start the server; raises `OSError` where the port is taken."""
        if self._gt is None:
            self._sock = eventlet.listen(self.bind_addr, backlog=256, reuse_port=False)
            self._sock.settimeout(None)  # py-amqp may have set a default for all sockets (celery/kombu#838)
            self._serv = self.get_wsgi_server(self._sock, App(self, self._providers))
            self._gt = self.container.spawn_managed_thread(self.run, identifier="http")

    def run(self) -> None:
        """Accept connections until the server closes, at most as many at once as the settings say."""
        while not self.is_closed:
            try:
                sock, address = self._sock.accept()
            except OSError as error:  # too many open files, for one
                log.warning("no connection accepted", error=str(error))
                eventlet.sleep(0.1)
                continue
            self._admit(sock, address)
            sock.settimeout(self._serv.socket_timeout)
            self.container.spawn_managed_thread(partial(self.process_request, sock, address), identifier="connection")

    def _admit(self, sock: Any, address: tuple[str, int]) -> None:
        """Count the connection; where all others are at work, once one of them has ended or waits for its client."""
        while True:
            try:
                return self.connections.add(sock, self.peer(address))
            except Overloaded:
                eventlet.sleep(LOOK)

    def process_request(self, sock: Any, address: Any) -> None:
        """Serve one connection; an error on it is logged and reaches no other."""
        try:
            super().process_request(sock, address)
        except Exception as error:  # noqa: BLE001 - else nameko would end the process
            log.info("connection broken", error=f"{type(error).__name__}: {error}"[:200])
        finally:
            self.connections.remove(sock)

    def get_wsgi_server(self, sock: Any, wsgi_app: Any, protocol: Any = Protocol, debug: bool = False) -> Any:
        """Make eventlet's server with our timeouts, and without its access log."""
        return eventlet.wsgi.Server(
            sock,
            sock.getsockname(),
            wsgi_app,
            protocol=protocol,
            debug=debug,
            log_output=False,
            keepalive=IDLE,
            socket_timeout=SILENT,
        )

    def answered(self) -> None:
        """Count a request as answered; the last one lets `stop` go on."""
        self.busy -= 1
        if self.is_closed and not self.busy and not self._idle.ready():
            self._idle.send()

    def close(self) -> None:
        """Accept no new connection and no new request."""
        if self._gt is not None and not self.is_closed:
            self.is_closed = True
            self._gt.kill()
            self._sock.close()
            for end in self.at_close:
                end()

    def stop(self) -> None:
        """Wait up to `LAST_WORDS` seconds until the responses under way are sent, then end."""
        self.close()
        if self.busy:
            with eventlet.Timeout(LAST_WORDS, False):
                self._idle.wait()
        for end in self.at_stop:
            end()
        super(WebServer, self).stop()
