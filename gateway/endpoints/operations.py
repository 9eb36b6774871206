"""The system's status, its jobs, and its dead letters."""

from __future__ import annotations

from typing import Any

from gateway.api.endpoint import endpoint
from gateway.endpoints.callers import OPERATOR
from gateway.http.messages import Reply, Request
from gateway.operations import answer_schemas, inputs
from gateway.operations.operator_requests import OperatorRequests


class OperationsEndpoints:
    """What operators see and do."""

    operator_requests: OperatorRequests

    @endpoint("GET", "/api/v1/operations/status", **OPERATOR, answers={200: answer_schemas.STATUS})
    def status(self, request: Request) -> Any:
        """How all of it is now. 系统现状。"""
        return self.operator_requests.status(request)

    @endpoint("POST", "/api/v1/operations/<job>", **OPERATOR, for_each="job", answers={202: answer_schemas.JOB})
    def begin_job(self, request: Request, job: str) -> Reply:
        """Begin a job. 启动任务。"""
        return self.operator_requests.begin(job, request)

    @endpoint("GET", "/api/v1/operations/<job>", **OPERATOR, for_each="job", answers={200: answer_schemas.JOB})
    def job(self, _: Request, job: str) -> Any:
        """How far a job has come. 任务进展。"""
        return self.operator_requests.job(job)

    @endpoint(
        "GET",
        "/api/v1/operations/parked",
        **OPERATOR,
        asks=inputs.PARKED,
        answers={200: answer_schemas.PARKED},
    )
    def parked(self, request: Request) -> Any:
        """Messages that could not be handled. 未能处理的消息。"""
        return self.operator_requests.parked(request)

    @endpoint(
        "GET",
        "/api/v1/operations/parked/<service>/<id_>",
        **OPERATOR,
        answers={200: answer_schemas.PARKED_MESSAGE},
    )
    def parked_message(self, request: Request, service: str, id_: str) -> Any:
        """One of them with its body and its traceback. 消息详情。"""
        return self.operator_requests.parked_message(service, id_, request)

    @endpoint(
        "POST", "/api/v1/operations/parked/<service>/<id_>/replay", **OPERATOR, takes=inputs.Settle,
        answers={200: answer_schemas.SETTLED},
    )  # fmt: skip
    def replay(self, request: Request, service: str, id_: str) -> Any:
        """Handle it now. 重放消息。"""
        return self.operator_requests.settle("replay_parked", service, id_, request)

    @endpoint(
        "POST", "/api/v1/operations/parked/<service>/<id_>/discard", **OPERATOR, takes=inputs.Settle,
        answers={200: answer_schemas.SETTLED},
    )  # fmt: skip
    def discard(self, request: Request, service: str, id_: str) -> Any:
        """It need not be handled any more. 丢弃消息。"""
        return self.operator_requests.settle("discard_parked", service, id_, request)
