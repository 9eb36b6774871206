"""HTTP entrypoints: `@endpoint("GET", "/api/v1/kpis/<code>")` on a method of a service."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
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


class Endpoint(HttpRequestHandler):
    """A method that answers at an address, to callers who have one of `roles`; to anybody where it is `public`.

    `roles` are by default all but judges, who read no records (A-12, A-13). `everywhere` refuses callers who are bound
    to a district, for what concerns the municipality as a whole.

    `en` and `zh` are its summary in both languages, `asks` its parameters and `takes` the schema of its body; both are
    checked, and the method finds them in `request.params` and `request.body`. With `asks=None` it reads its parameters
    itself. An answer that costs much has a place in a `pool`; a public one that `prefers_known` also knows callers who
    have an account, for whom a share of these places is kept. A read that is `noted` is in the audit trail as writes
    are: it shows names, or what is meant for few; so is any that asks for `personal` fields. Where it `uploads`, the
    body is a file, which the method reads from `request.stream` or `request.files` while it comes in, and which may be
    as large as the settings say.
    `answers` are the JSON Schemas of its answers, by status. Where it stands `for_each` command, question, list,
    record, history or job, the documents have an operation for each of them.
    """

    server = Server()
    callers = Authentication()

    def __init__(
        self,
        method: str,
        url: str,
        *,
        en: str = "",
        zh: str = "",
        public: bool = False,
        roles: tuple[str, ...] = READERS,
        everywhere: bool = False,
        prefers_known: bool = False,
        pool: str | None = None,
        noted: bool = False,
        asks: Mapping[str, Parameter] | None = parameters.NOTHING,
        takes: type[fields.Schema] | None = None,
        uploads: bool = False,
        answers: Mapping[int, Any] = parameters.NOTHING,
        for_each: str | None = None,
    ) -> None:
        super().__init__(method, url, expected_exceptions=(Problem, Refusal))
        self.en, self.zh = en, zh
        self.public, self.roles, self.asks, self.answers, self.for_each = public, roles, asks, answers, for_each
        self.takes, self.uploads, self.everywhere = takes() if takes else None, uploads, everywhere
        self.prefers_known, self.pool, self.noted = prefers_known, pool, noted

    def stop(self) -> None:
        """Accept no new request, then wait for the workers at work."""
        self.server.close()
        super().stop()

    def handle_request(self, request: Request) -> Response:
        """Check the caller, count the request, read what is declared, and answer; raises a `Problem` or a refusal."""
        request.is_noted = self.noted or "personal" in request.args
        if not self.public:
            self._check_caller(request)
        elif self.prefers_known:
            self.callers.recognise(request)
        self.server.rate_limiter.take_token(request.caller)
        if self.asks is not None:
            request.params = parameters.read(request.args, self.asks)
        if self.uploads:
            request.max_content_length = self.server.settings.upload_limit
        elif self.method != "GET":
            self._receive(request)
        with self._place(request):
            return self.answer(request).response()

    def answer(self, request: Request) -> Reply:
        """Run the method in a worker; the request has been admitted and read."""
        done = Signal()
        self.container.spawn_worker(
            self, (request,), request.path_values, handle_result=partial(self.handle_result, done)
        )
        result = done.wait()
        return result if isinstance(result, Reply) else Reply(result)

    def _place(self, request: Request) -> AbstractContextManager[None]:
        """A place among the answers that cost as much; raises `Overloaded` where none is left for this caller."""
        pool = self.pool or ("as_of" if "as_of" in request.params else None)
        return self.server.pools[pool].place(request.caller, is_known=request.is_known) if pool else nullcontext()

    def _receive(self, request: Request) -> None:
        """Read the whole body, before anything is done for it."""
        with request.while_it_comes_in():
            content = request.content
        if self.takes:
            request.body = fields.load(self.takes, parameters.body(content))

    def _check_caller(self, request: Request) -> None:
        self.callers.identify(request, writes=self.method != "GET")
        roles = request.actor.roles
        if roles.isdisjoint(self.roles):
            raise NotAllowed(needs="/".join(self.roles), yours="/".join(sorted(roles)))
        if self.everywhere and request.actor.district is not None:
            raise NotAllowed(yours=request.actor.district)


endpoint = Endpoint.decorator
