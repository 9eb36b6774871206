"""The services' own commands, questions and records."""

from __future__ import annotations

from typing import Any

from gateway.api.endpoint import endpoint
from gateway.api.exports import exported
from gateway.documents import answer_rows
from gateway.endpoints.callers import EVERYBODY
from gateway.http import json_schema
from gateway.http.messages import Reply, Request
from gateway.upstream import answer_schemas, list_parameters
from gateway.upstream.proxy import ServiceProxy


class ServiceEndpoints:
    """Commands and queries that the services describe, passed on to them with the caller's own token."""

    services: ServiceProxy

    @endpoint(
        "POST",
        "/api/v1/<service>/<command>",
        en="Send a command to a service.",
        zh="服务命令。",
        **EVERYBODY,
        for_each="command",
        answers={202: answer_schemas.ACCEPTED},
    )
    def command(self, request: Request, service: str, command: str) -> Reply:
        return self.services.command(service, command, request)

    @endpoint(
        "GET",
        "/api/v1/commands/<command_id>",
        en="Show the outcome of a command that was accepted with 202.",
        zh="已受理命令的结果。",
        **EVERYBODY,
        answers={200: answer_schemas.ACCEPTED},
    )
    def accepted(self, request: Request, command_id: str) -> Any:
        return self.services.accepted(command_id, request)

    @endpoint(
        "GET",
        "/api/v1/<service>/questions/<question>",
        en="Query a service.",
        zh="服务查询。",
        noted=True,
        **EVERYBODY,
        asks=None,
        for_each="question",
        answers={200: json_schema.ANYTHING},
    )
    def question(self, request: Request, service: str, question: str) -> Any:
        return self.services.question(service, question, request)

    @exported("清单")
    @endpoint(
        "GET",
        "/api/v1/<service>/<plural>",
        en="List the records of a service.",
        zh="服务记录列表。",
        asks=None,
        for_each="list",
    )
    def page(self, request: Request, service: str, plural: str) -> Any:
        return self.services.page(service, plural, request)

    @endpoint(
        "GET",
        "/api/v1/<service>/<plural>/<id_>",
        en="Show a record as its service has it.",
        zh="服务记录。",
        asks={"personal": list_parameters.PERSONAL},
        for_each="record",
    )
    def record(self, request: Request, service: str, plural: str, id_: str) -> Reply:
        return self.services.record(service, plural, id_, request)

    @exported("历史", answer_rows.of("versions"))
    @endpoint(
        "GET",
        "/api/v1/<service>/<plural>/<id_>/history",
        en="Show every version of a record as its service has it, with reasons.",
        zh="服务记录的各版本及理由。",
        for_each="history",
    )
    def history_at_service(self, request: Request, service: str, plural: str, id_: str) -> Any:
        return self.services.history(service, plural, id_, request)
