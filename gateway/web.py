"""HTTP entrypoints: `@endpoint("GET", "/api/v1/kpis/<code>")` on a method of a service."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from eventlet.event import Event as Signal
from nameko.extensions import DependencyProvider
from nameko.web.handlers import HttpRequestHandler
from werkzeug import wrappers

from gateway import schemas
from gateway.port import Server
from gateway.reply import Reply, Request
from gateway.schemas import Parameter
from services.chassis import fields
from services.chassis.health import Health
from services.chassis.problem import NotAllowed, NotAuthenticated, Problem
from services.chassis.tokens import ROLES, Actor


class Endpoint(HttpRequestHandler):
    """A method that answers at an address; where it is not `public`, to those with a valid token and one of `roles`.

    `asks` are its parameters, found in `request.asked`; None where the method reads them itself. `takes` is the schema
    of its body, found in `request.said`. Where it `uploads`, the body is a file, read from `request.stream` or
    `request.files`, and may be as large as the settings say. `answers` are the JSON Schemas of its answers, by status.
    """

    server = Server()

    def __init__(
        self,
        method: str,
        url: str,
        *,
        public: bool = False,
        roles: tuple[str, ...] = ROLES,
        asks: Mapping[str, Parameter] | None = schemas.NOTHING,
        takes: type[fields.Schema] | None = None,
        uploads: bool = False,
        answers: Mapping[int, Any] = schemas.NOTHING,
    ) -> None:
        super().__init__(method, url, expected_exceptions=(Problem,))
        self.public, self.roles, self.asks, self.answers = public, roles, asks, answers
        self.takes, self.uploads = takes() if takes else None, uploads

    def stop(self) -> None:
        self.server.close()
        super().stop()

    def handle_request(self, request: Request) -> wrappers.Response:
        if not self.public:
            request.token, request.actor = self._verified(request)
        self.server.rates.take(request.actor.id or f"at {request.remote_addr}")
        if self.uploads:
            request.max_content_length = self.server.settings.upload_limit
        if self.asks is not None:
            request.asked = schemas.read(request.args, self.asks)
        if self.takes:
            request.said = fields.load(self.takes, schemas.body(request.content))
        done = Signal()
        self.container.spawn_worker(
            self, (request,), request.path_values, handle_result=partial(self.handle_result, done)
        )
        result = done.wait()
        return (result if isinstance(result, Reply) else Reply(result)).response()

    def _verified(self, request: Request) -> tuple[str, Actor]:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            raise NotAuthenticated("Send a token: Authorization: Bearer ...", "请提供令牌：Authorization: Bearer ...")
        actor = self.server.tokens.verify(token.strip())
        if actor.roles.isdisjoint(self.roles):
            raise NotAllowed(needs="/".join(self.roles), yours="/".join(sorted(actor.roles)))
        return token.strip(), actor


endpoint = Endpoint.decorator


class Condition(DependencyProvider):
    """Gives the gateway what its process says of its health."""

    def get_dependency(self, worker_ctx: Any) -> Health:  # noqa: ARG002 - nameko's signature
        return self.container.config["HEALTH"]
