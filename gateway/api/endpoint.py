"""HTTP entrypoints: `@endpoint("GET", "/api/v1/kpis/<code>")` on a method of a service."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from eventlet.event import Event as Signal
from nameko.web.handlers import HttpRequestHandler

from gateway.http import parameters
from gateway.http.messages import Reply, Request, Response
from gateway.http.parameters import Parameter
from gateway.http.server import Server
from gateway.identity.authentication import Authentication
from services.chassis import fields
from services.chassis.problem import NotAllowed, Problem
from services.chassis.tokens import READERS
from services.kernel import Refusal

SLOWEST = 50_000  # bytes a second of a file that is uploaded


class Endpoint(HttpRequestHandler):
    """A method that answers at an address; where it is not `public`, to those who are known and have one of `roles`.

    Where nothing else is said these are all but judges, who read no records (A-12, A-13).

    What concerns the municipality as a whole is for those who have the role `everywhere`, and not in one district only.
    `asks` are its parameters, found in `request.params`; None where the method reads them itself. `takes` is the schema
    of its body, found in `request.body`. Where it `uploads`, the body is a file, read from `request.stream` or
    `request.files`, and may be as large as the settings say. `answers` are the JSON Schemas of its answers, by status.
    Where the address stands `for_each` command, question, list, record, history or job, the documents have one for
    each of them.
    """

    server = Server()
    callers = Authentication()

    def __init__(
        self,
        method: str,
        url: str,
        *,
        public: bool = False,
        roles: tuple[str, ...] = READERS,
        everywhere: bool = False,
        asks: Mapping[str, Parameter] | None = parameters.NOTHING,
        takes: type[fields.Schema] | None = None,
        uploads: bool = False,
        answers: Mapping[int, Any] = parameters.NOTHING,
        for_each: str | None = None,
    ) -> None:
        super().__init__(method, url, expected_exceptions=(Problem, Refusal))
        self.public, self.roles, self.asks, self.answers, self.for_each = public, roles, asks, answers, for_each
        self.takes, self.uploads, self.everywhere = takes() if takes else None, uploads, everywhere

    def stop(self) -> None:
        self.server.close()
        super().stop()

    def handle_request(self, request: Request) -> Response:
        if not self.public:
            self._check_caller(request)
        self.server.rates.take(request.actor.id or f"at {request.remote_addr}")
        if self.uploads:
            request.max_content_length = self.server.settings.upload_limit
            request.environ["wsgi.input"].grant(self.server.settings.upload_limit / SLOWEST)
        if self.asks is not None:
            request.params = parameters.read(request.args, self.asks)
        if self.takes:
            request.body = fields.load(self.takes, parameters.body(request.content))
        return self.answer(request).response()

    def answer(self, request: Request) -> Reply:
        """What the method answers to a request that was let in and read."""
        done = Signal()
        self.container.spawn_worker(
            self, (request,), request.path_values, handle_result=partial(self.handle_result, done)
        )
        result = done.wait()
        return result if isinstance(result, Reply) else Reply(result)

    def _check_caller(self, request: Request) -> None:
        self.callers.identify(request, writes=self.method != "GET")
        roles = request.actor.roles
        if roles.isdisjoint(self.roles):
            raise NotAllowed(needs="/".join(self.roles), yours="/".join(sorted(roles)))
        if self.everywhere and request.actor.district is not None:
            raise NotAllowed(yours=request.actor.district)


endpoint = Endpoint.decorator
