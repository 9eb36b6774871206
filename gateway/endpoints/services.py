"""The services' own commands, questions and records."""

from __future__ import annotations

from typing import Any

from gateway.api.endpoint import endpoint
from gateway.api.exports import exported
from gateway.documents import answer_rows
from gateway.endpoints.callers import EVERYBODY
from gateway.http import json_schema
from gateway.http.messages import Reply, Request
from gateway.upstream import answer_schemas
from gateway.upstream.proxy import ServiceProxy


class ServiceEndpoints:
    """What the services' `describe` offers, passed on to them."""

    services: ServiceProxy

    @endpoint(
        "POST",
        "/api/v1/<service>/<command>",
        **EVERYBODY,
        for_each="command",
        answers={202: answer_schemas.ACCEPTED},
    )
    def command(self, request: Request, service: str, command: str) -> Reply:
        """A service's command. 服务命令。"""
        return self.services.command(service, command, request)

    @endpoint("GET", "/api/v1/commands/<command_id>", **EVERYBODY, answers={200: answer_schemas.ACCEPTED})
    def accepted(self, request: Request, command_id: str) -> Any:
        """What became of a command that was answered with 202. 已受理命令的结果。"""
        return self.services.accepted(command_id, request)

    @endpoint(
        "GET", "/api/v1/<service>/questions/<question>", **EVERYBODY, asks=None, for_each="question",
        answers={200: json_schema.ANYTHING},
    )  # fmt: skip
    def question(self, request: Request, service: str, question: str) -> Any:
        """A service's own question. 服务查询。"""
        return self.services.question(service, question, request)

    @exported("/api/v1/<service>/<plural>", "清单", asks=None, for_each="list")
    @endpoint("GET", "/api/v1/<service>/<plural>", asks=None, for_each="list")
    def page(self, request: Request, service: str, plural: str) -> Any:
        """A service's records. 服务记录列表。"""
        return self.services.page(service, plural, request)

    @endpoint("GET", "/api/v1/<service>/<plural>/<id_>", for_each="record")
    def record(self, request: Request, service: str, plural: str, id_: str) -> Reply:
        """A record as its service has it. 服务记录。"""
        return self.services.record(service, plural, id_, request)

    @exported("/api/v1/<service>/<plural>/<id_>/history", "历史", answer_rows.of("versions"), for_each="history")
    @endpoint("GET", "/api/v1/<service>/<plural>/<id_>/history", for_each="history")
    def history_at_service(self, request: Request, service: str, plural: str, id_: str) -> Any:
        """Every version of a record as its service has it, with reasons. 服务记录的各版本及理由。"""
        return self.services.history(service, plural, id_, request)
