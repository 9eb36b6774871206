"""Documents about the gateway itself, the pages to read them on, and the health of its process."""

from __future__ import annotations

from gateway.api import answer_schemas
from gateway.api.documentation import Documentation
from gateway.api.endpoint import endpoint
from gateway.http import json_schema, parameters
from gateway.http.messages import Reply, Request
from services.chassis.health import Health


class DocumentEndpoints:
    """What the gateway says of itself."""

    process_health: Health
    docs: Documentation

    @endpoint("GET", "/api/v1/roles", public=True, answers={200: answer_schemas.ROLES})
    def roles(self, _: Request) -> Reply:
        """Who may do what: each role at each address. 角色权限表。"""
        return self.docs.roles()

    @endpoint("GET", "/openapi.json", public=True, answers={200: answer_schemas.OPENAPI})
    def openapi(self, _: Request) -> Reply:
        """All of this as OpenAPI 3.1. 接口说明（OpenAPI 3.1）。"""
        return self.docs.openapi()

    @endpoint("GET", "/asyncapi.json", public=True, answers={200: answer_schemas.ASYNCAPI})
    def asyncapi(self, _: Request) -> Reply:
        """Events and RPC methods as AsyncAPI 3.0. 事件与 RPC 说明（AsyncAPI 3.0）。"""
        return self.docs.asyncapi()

    @endpoint("GET", "/docs", public=True, answers={200: json_schema.PAGE})
    def documentation(self, _: Request) -> Reply:
        """All of this to read and to try. 接口文档页面。"""
        return self.docs.page()

    @endpoint("GET", "/docs/assets/<name>", public=True, asks=parameters.FILE, answers={200: json_schema.ASSET})
    def asset(self, _: Request, name: str) -> Reply:
        """A file of the pages. 页面文件。"""
        return self.docs.asset(name)

    @endpoint("GET", "/problems", public=True, answers={200: json_schema.PAGE})
    def problems(self, _: Request) -> Reply:
        """All codes of errors and all rules that forbid something. 错误代码与规则一览。"""
        return self.docs.problems()

    @endpoint("GET", "/roles", public=True, answers={200: json_schema.PAGE})
    def role_matrix(self, _: Request) -> Reply:
        """Who may do what, as a table to read. 角色权限一览。"""
        return self.docs.matrix()

    @endpoint("GET", "/health", public=True, answers={200: answer_schemas.HEALTH, 503: answer_schemas.HEALTH})
    def health(self, _: Request) -> Reply:
        """Whether the process works; 503: start it again. 进程是否正常。"""
        return Reply.of(self.process_health.health())

    @endpoint("GET", "/ready", public=True, answers={200: answer_schemas.READY, 503: answer_schemas.READY})
    def ready(self, _: Request) -> Reply:
        """Whether it can answer now. 是否就绪。"""
        return Reply.of(self.process_health.ready())

    @endpoint("GET", "/metrics", public=True, answers={200: json_schema.PLAIN})
    def metrics(self, _: Request) -> Reply:
        """What it counts, for Prometheus. 监控指标。"""
        return Reply.of(self.process_health.metrics())
