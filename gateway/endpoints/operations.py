"""The system's status, its jobs, and its dead letters."""

from __future__ import annotations

from typing import Any

from gateway.api.endpoint import endpoint
from gateway.endpoints.callers import OPERATOR
from gateway.http.messages import Reply, Request
from gateway.operations import answer_schemas, inputs
from gateway.operations.operator_requests import OperatorRequests


class OperationsEndpoints:
    """The operators' view of the system, and their means to mend it."""

    operator_requests: OperatorRequests

    @endpoint(
        "GET",
        "/api/v1/operations/status",
        en="Show the condition of every service and queue.",
        zh="系统现状。",
        **OPERATOR,
        answers={200: answer_schemas.STATUS},
    )
    def status(self, request: Request) -> Any:
        return self.operator_requests.status(request)

    @endpoint(
        "POST",
        "/api/v1/operations/<job>",
        en="Start a job.",
        zh="启动任务。",
        **OPERATOR,
        for_each="job",
        answers={202: answer_schemas.JOB},
    )
    def begin_job(self, request: Request, job: str) -> Reply:
        return self.operator_requests.begin(job, request)

    @endpoint(
        "GET",
        "/api/v1/operations/<job>",
        en="Show how far a job has come.",
        zh="任务进展。",
        **OPERATOR,
        for_each="job",
        answers={200: answer_schemas.JOB},
    )
    def job(self, _: Request, job: str) -> Any:
        return self.operator_requests.job(job)

    @endpoint(
        "GET",
        "/api/v1/operations/parked",
        en="List the parked messages (dead letters).",
        zh="未能处理的消息。",
        **OPERATOR,
        asks=inputs.PARKED,
        answers={200: answer_schemas.PARKED},
    )
    def parked(self, request: Request) -> Any:
        return self.operator_requests.parked(request)

    @endpoint(
        "GET",
        "/api/v1/operations/parked/<service>/<id_>",
        en="Show a parked message with its body and its traceback.",
        zh="消息详情。",
        **OPERATOR,
        answers={200: answer_schemas.PARKED_MESSAGE},
    )
    def parked_message(self, request: Request, service: str, id_: str) -> Any:
        return self.operator_requests.parked_message(service, id_, request)

    @endpoint(
        "POST",
        "/api/v1/operations/parked/<service>/<id_>/replay",
        en="Replay a dead-lettered message now.",
        zh="重放消息。",
        **OPERATOR,
        takes=inputs.Settle,
        answers={200: answer_schemas.SETTLED},
    )
    def replay(self, request: Request, service: str, id_: str) -> Any:
        return self.operator_requests.settle("replay_parked", service, id_, request)

    @endpoint(
        "POST",
        "/api/v1/operations/parked/<service>/<id_>/discard",
        en="Discard a dead-lettered message.",
        zh="丢弃消息。",
        **OPERATOR,
        takes=inputs.Settle,
        answers={200: answer_schemas.SETTLED},
    )
    def discard(self, request: Request, service: str, id_: str) -> Any:
        return self.operator_requests.settle("discard_parked", service, id_, request)
