"""HTTP as the gateway speaks it: JSON answers, every error as problem+json, and no request that can end the process.

nameko's own HTTP would turn an error into a text with its innards, read chunked bodies as empty, wait for ever for
half a request, share its port with a stranger and end the service when a connection breaks at the wrong moment.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import eventlet
import eventlet.wsgi
from eventlet.event import Event as Signal
from nameko.extensions import DependencyProvider
from nameko.web.handlers import HttpRequestHandler
from nameko.web.server import HttpOnlyProtocol, WebServer, WsgiApp
from prometheus_client import Counter
from structlog import get_logger
from werkzeug import wrappers
from werkzeug.exceptions import HTTPException

from services.chassis.health import Answer, Health
from services.chassis.mongo import is_passing
from services.chassis.problem import (
    FieldError,
    InvalidInput,
    Malfunction,
    NotAuthenticated,
    NotFound,
    Problem,
    TooLarge,
    Unavailable,
)
from services.chassis.tokens import Tokens
from services.contract import wire

JSON, PROBLEM = "application/json", "application/problem+json"
IDLE = 15  # seconds that a connection may wait for its next request
SILENT = 30  # seconds that half a request may take to go on
LAST_WORDS = 5.0  # seconds that answers at hand may take when the process stops

REQUESTS = Counter("kexie_http_requests", "HTTP requests answered, by route and status.", ["route", "status"])

log = get_logger()


class MethodNotAllowed(NotFound):
    status, code = 405, "method_not_allowed"
    title_en, title_zh = "This address does not take that method.", "此地址不支持该方法。"


@dataclass(frozen=True)
class Reply:
    """An answer with headers, or one that is no JSON; whatever else a method returns is sent as JSON."""

    body: Any
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = JSON

    @staticmethod
    def of(said: Answer) -> Reply:
        """What a process says of its health."""
        status, content_type, body = said
        return Reply(body, status, content_type=content_type)

    def response(self) -> wrappers.Response:
        body = self.body if isinstance(self.body, bytes) else wire.encode(self.body)
        return wrappers.Response(body, self.status, dict(self.headers), content_type=self.content_type)


class Request(wrappers.Request):
    """A request; `token` is the caller's, verified, or None at an address that is public."""

    path_values: Mapping[str, Any]
    token: str | None = None

    @property
    def content(self) -> bytes:
        """The whole body; one that is too long raises, also where it comes in chunks and could be cut off unseen."""
        found = self.get_data()
        self.stream.read(1)
        return found


class App(WsgiApp):
    """From a request to its answer, whatever happens on the way."""

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if environ.get("HTTP_TRANSFER_ENCODING", "").lower() == "chunked":
            environ["wsgi.input_terminated"] = True  # else its body would be empty
        request = Request(environ)
        request.max_content_length = self.server.settings.request_limit
        self.server.busy += 1
        response = self._respond(request)
        response.call_on_close(self.server.answered)
        if response.mimetype == "text/event-stream":
            environ["eventlet.minimum_write_chunk_size"] = 0  # else events wait until 4 KB have come together
        return response(environ, start_response)

    def _respond(self, request: Request) -> wrappers.Response:
        route, headers = "-", {}
        try:
            provider, request.path_values = self.url_map.bind_to_environ(request.environ).match()
            route = provider.url
            if self.server.is_closed:
                raise Unavailable("The gateway is stopping.", "网关正在停止。")
            response = provider.handle_request(request)
        except HTTPException as error:
            headers = {name: value for name, value in error.get_headers() if name == "Allow"}
            response = problem_response(_heard(error), request, headers)
        except Exception as error:  # noqa: BLE001 - whatever it was, it is answered, and logged if it was our mistake
            response = problem_response(_told(error, route), request, headers)
        REQUESTS.labels(route, response.status_code).inc()
        return response


class Protocol(HttpOnlyProtocol):
    """One connection; also one that broke off is let go of whole."""

    def finish(self) -> None:
        try:
            super().finish()
        finally:
            self.rfile.close()
            self.connection.close()


class Server(WebServer):
    """The gateway's port."""

    def setup(self) -> None:
        self.settings = self.container.config["SETTINGS"]
        self.tokens = Tokens(self.settings.token_public_key)
        self._gt: Any = None
        self.busy = 0  # requests that are not answered yet
        self.is_closed = False
        self._idle = Signal()

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
            try:
                sock, address = self._sock.accept()
            except OSError as error:  # too many open files, for one
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
        if not self.is_closed:
            self.is_closed = True
            self._gt.kill()
            self._sock.close()

    def stop(self) -> None:
        """Ends when what was being answered has been sent."""
        self.close()
        if self.busy:
            with eventlet.Timeout(LAST_WORDS, False):
                self._idle.wait()
        super(WebServer, self).stop()


class Endpoint(HttpRequestHandler):
    """A method that answers at an address; a valid token is needed where it is not `public`."""

    server = Server()

    def __init__(self, method: str, url: str, *, public: bool = False) -> None:
        super().__init__(method, url, expected_exceptions=(Problem,))
        self.public = public

    def stop(self) -> None:
        self.server.close()
        super().stop()

    def handle_request(self, request: Request) -> wrappers.Response:
        if not self.public:
            request.token = self._verified(request)
        done = Signal()
        self.container.spawn_worker(
            self, (request,), request.path_values, handle_result=partial(self.handle_result, done)
        )
        result = done.wait()
        return (result if isinstance(result, Reply) else Reply(result)).response()

    def _verified(self, request: Request) -> str:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            raise NotAuthenticated("Send a token: Authorization: Bearer ...", "请提供令牌：Authorization: Bearer ...")
        self.server.tokens.verify(token.strip())
        return token.strip()


endpoint = Endpoint.decorator


class Condition(DependencyProvider):
    """Gives the gateway what its process says of its health."""

    def get_dependency(self, worker_ctx: Any) -> Health:  # noqa: ARG002 - nameko's signature
        return self.container.config["HEALTH"]


def problem_response(problem: Problem, request: Request, headers: Mapping[str, str] | None = None) -> wrappers.Response:
    """The problem as RFC 9457 has it, in the caller's language and with both."""
    language = _language(request)
    said = problem.say()
    body = {
        "type": f"urn:kexie:problem:{said['code']}",
        "title": problem.title_en if language == "en" else problem.title_zh,
        "status": problem.status,
        "detail": said[language],
        **{name: said[name] for name in ("code", "zh", "en", "errors", "involved")},
    }
    told = {"Content-Language": language, **(headers or {}), **_hints(problem)}
    return Reply(body, problem.status, told, PROBLEM).response()


def _language(request: Request) -> str:
    """The first that we speak among those the caller wants, `en-US` as `en`; else Chinese."""
    wanted = (tag.lower().partition("-")[0] for tag in request.accept_languages.values())
    return next((language for language in wanted if language in ("zh", "en")), "zh")


def _hints(problem: Problem) -> dict[str, str]:
    if isinstance(problem, NotAuthenticated):
        return {"WWW-Authenticate": "Bearer"}
    return {"Retry-After": "1"} if isinstance(problem, Unavailable) else {}


def _heard(error: HTTPException) -> Problem:
    """What routing and reading the body complain about, in our words."""
    if error.code in (404, 308):
        return NotFound("There is no such address.", "没有此地址。")
    if error.code == 405:
        return MethodNotAllowed()
    if error.code == 413:
        return TooLarge()
    return InvalidInput(FieldError("request", "Not a request that can be understood.", "无法理解该请求。"))


def _told(error: Exception, route: str) -> Problem:
    """What a caller is told about this error: our own mistakes are logged and say nothing of their innards."""
    if isinstance(error, Problem):
        return error
    if is_passing(error):
        return Unavailable("The database cannot be reached.", "数据库暂不可用。")
    log.error("request failed", route=route, exc_info=error)
    return Malfunction()
