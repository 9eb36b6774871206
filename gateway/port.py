"""The gateway's port: from a connection to a request and back, whatever happens on the way.

nameko's own would read chunked bodies as empty, wait for ever for half a request, share its port with a stranger, end
the service when a connection breaks at the wrong moment, and cut off the answers at hand when it stops.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from time import monotonic
from typing import Any

import eventlet
import eventlet.wsgi
from eventlet.event import Event as Signal
from eventlet.semaphore import Semaphore
from nameko.web.server import HttpOnlyProtocol, WebServer, WsgiApp
from prometheus_client import Counter, Histogram
from structlog import get_logger

from gateway.admission import Rates, Turns
from gateway.audit import Trail
from gateway.delivery import finish
from gateway.reply import Request, Response, error_response
from services.chassis import trace
from services.chassis.problem import Overloaded, Unavailable

IDLE = 15  # seconds that a connection may wait for its next request
SILENT = 30  # seconds that half a request may take to go on, and its headers or a usual body in all
DRAINED = 30_000_000  # bytes of a body that nobody wanted, taken so that its sender reads the answer
ALWAYS = ("/health", "/ready", "/metrics")  # answered also by a gateway that is full
EVENT_STREAM = "text/event-stream"
LATE = 0.25  # seconds that a request may wait for its turn
AT_A_TURN = 16  # requests that begin before those under way go on
WAITED = "kexie.waited"  # how long this one did
LAST_WORDS = 5.0  # seconds that answers at hand may take when the process stops

REQUESTS = Counter("kexie_http_requests", "HTTP requests answered, by route and status.", ["route", "status"])
SECONDS = Histogram(
    "kexie_http_seconds", "Time from a request's headers to its answer, which is not sent yet.", ["route"],
    buckets=(0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
)  # fmt: skip

log = get_logger()


class App(WsgiApp):
    """From a request to its answer, whatever happens on the way."""

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if environ.get("HTTP_TRANSFER_ENCODING", "").lower() == "chunked":
            environ["wsgi.input_terminated"] = True  # else its body would be empty
        if self.server.settings.http_behind_tls:
            _see_through_the_proxy(environ)
        environ["wsgi.input"] = Punctual(environ["wsgi.input"], SILENT)
        request = Request(environ)
        request.max_content_length = self.server.settings.request_limit
        self.server.busy += 1
        response = self._respond(request)
        self.server.trail.note(request, response.status_code)
        _drain(environ)
        response.call_on_close(request.close)  # and with it the files of a form
        if response.mimetype == EVENT_STREAM:
            environ["eventlet.minimum_write_chunk_size"] = 0  # else events wait until 4 KB have come together
            self.server.answered()  # it goes on for hours, and neither holds a place nor delays a stop
        else:
            response.call_on_close(self.server.answered)
        return response(environ, start_response)

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
            if self.server.is_full(request.environ[WAITED]) and request.path not in ALWAYS:  # first: it costs little
                raise Overloaded(at="gateway")
            provider, request.path_values = self.url_map.bind_to_environ(request.environ).match()
            request.route, public = provider.url, provider.public
            if self.server.is_closed:
                raise Unavailable("The gateway is stopping.", "网关正在停止。")
            response = provider.handle_request(request)
        except Exception as error:  # noqa: BLE001 - whatever it was, it is answered, and logged if it was our mistake
            response = error_response(error, request, route=request.route)
        finish(response, request, public=public)
        REQUESTS.labels(request.route, response.status_code).inc()
        SECONDS.labels(request.route).observe(monotonic() - began)
        return response


class Punctual:
    """A body that has to come within so many seconds; one that trickles in would hold its place for hours."""

    def __init__(self, body: Any, seconds: float) -> None:
        self._body, self._until = body, monotonic() + seconds

    def grant(self, seconds: float) -> None:
        """So many more, for a body that may be long."""
        self._until += seconds

    def read(self, *size: int) -> bytes:
        return self._in_time(self._body.read, *size)

    def readline(self, *size: int) -> bytes:
        return self._in_time(self._body.readline, *size)

    def _in_time(self, take: Callable[..., bytes], *size: int) -> bytes:
        with eventlet.Timeout(max(0.001, self._until - monotonic()), TimeoutError("the body takes too long")):
            return take(*size)


def _see_through_the_proxy(environ: dict[str, Any]) -> None:
    """The caller's address is the last that the proxy has added; whatever stands before it anybody may have said."""
    if forwarded := environ.get("HTTP_X_FORWARDED_FOR", ""):
        environ["REMOTE_ADDR"] = forwarded.rpartition(",")[2].strip()


def _drain(environ: dict[str, Any]) -> None:
    """Take what is left of a body: a connection closed with unread bytes is reset, and its answer lost with it.

    Whoever waits for our word before the body (`Expect`) has not sent any.
    """
    left = 0 if "HTTP_EXPECT" in environ else DRAINED
    with suppress(OSError, ValueError):  # broken off, or no chunks: then nobody waits for an answer
        while left > 0 and (piece := environ["wsgi.input"].read(min(left, 65_536))):
            left -= len(piece)


class Protocol(HttpOnlyProtocol):
    """One connection; also one that broke off is let go of whole."""

    def parse_request(self) -> bool:
        """After the first line was read: until then nobody knows whether there is a request."""
        self._waited = self.server.app.server.turns.wait()
        with eventlet.Timeout(SILENT, TimeoutError("the headers take too long")):
            return super().parse_request()

    def _read_request_line(self) -> bytes:
        with eventlet.Timeout(IDLE + SILENT, TimeoutError("the first line takes too long")):
            return super()._read_request_line()

    def get_environ(self) -> dict[str, Any]:
        return super().get_environ() | {WAITED: self._waited}

    def finish(self) -> None:
        try:
            super().finish()
        finally:
            self.rfile.close()
            self.connection.close()


class Server(WebServer):
    """The gateway's port."""

    trail = Trail()

    def setup(self) -> None:
        self.settings = self.container.config["SETTINGS"]
        self.rates = Rates(self.settings.caller_rate)
        self._gt: Any = None
        self._connections = Semaphore(self.settings.http_connections)
        self.turns = Turns(AT_A_TURN)
        self.busy = 0  # requests that are not answered yet
        self.is_closed = False
        self.at_close: list[Callable[[], None]] = []
        self._idle = Signal()

    def is_full(self, waited: float) -> bool:
        """Where requests wait for their turn, fewer are let in: to refuse is quicker, and the next ones wait less."""
        at_once = self.settings.http_at_once
        return self.busy > (at_once if waited < LATE else max(1, at_once // 8))

    @property
    def port(self) -> int:
        return self._sock.getsockname()[1]

    def start(self) -> None:
        if self._gt is None:
            self._sock = eventlet.listen(self.bind_addr, backlog=256, reuse_port=False)
            self._sock.settimeout(None)
            self._serv = self.get_wsgi_server(self._sock, App(self))
            self._gt = self.container.spawn_managed_thread(self.run, identifier="http")

    def run(self) -> None:
        while not self.is_closed:
            self._connections.acquire()
            try:
                sock, address = self._sock.accept()
            except OSError as error:  # too many open files, for one
                self._connections.release()
                log.warning("no connection accepted", error=str(error))
                eventlet.sleep(0.1)
                continue
            sock.settimeout(self._serv.socket_timeout)
            self.container.spawn_managed_thread(partial(self.process_request, sock, address), identifier="connection")

    def process_request(self, sock: Any, address: Any) -> None:
        """One connection; nothing that happens on it reaches the others."""
        try:
            super().process_request(sock, address)
        except Exception as error:  # noqa: BLE001 - else nameko would end the process
            log.info("connection broken", error=f"{type(error).__name__}: {error}"[:200])
        finally:
            self._connections.release()

    def get_wsgi_server(self, sock: Any, wsgi_app: Any, protocol: Any = Protocol, debug: bool = False) -> Any:
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
        self.busy -= 1
        if self.is_closed and not self.busy and not self._idle.ready():
            self._idle.send()

    def close(self) -> None:
        """Take no new connection and no new request."""
        if self._gt is not None and not self.is_closed:
            self.is_closed = True
            self._gt.kill()
            self._sock.close()
            for end in self.at_close:
                end()

    def stop(self) -> None:
        """Ends when what was being answered has been sent."""
        self.close()
        if self.busy:
            with eventlet.Timeout(LAST_WORDS, False):
                self._idle.wait()
        self.trail.close()
        super(WebServer, self).stop()
