"""Documents about the gateway itself, the pages to read them on, and the health of its process."""

from __future__ import annotations

from gateway.api import answer_schemas
from gateway.api.documentation import Documentation
from gateway.api.endpoint import endpoint
from gateway.http import json_schema, parameters
from gateway.http.messages import Reply, Request
from gateway.pages import rendering
from services.chassis.health import Health


class DocumentEndpoints:
    """The gateway's description of itself, for programs, people and monitoring."""

    process_health: Health
    docs: Documentation

    @endpoint(
        "GET",
        "/api/v1/roles",
        en="List which role may call which operation.",
        zh="角色权限表。",
        public=True,
        answers={200: answer_schemas.ROLES},
    )
    def roles(self, _: Request) -> Reply:
        return self.docs.roles()

    @endpoint(
        "GET",
        "/openapi.json",
        en="Describe every address as OpenAPI 3.1.",
        zh="接口说明（OpenAPI 3.1）。",
        public=True,
        answers={200: answer_schemas.OPENAPI},
    )
    def openapi(self, _: Request) -> Reply:
        return self.docs.openapi()

    @endpoint(
        "GET",
        "/asyncapi.json",
        en="Describe events and RPC methods as AsyncAPI 3.0.",
        zh="事件与 RPC 说明（AsyncAPI 3.0）。",
        public=True,
        answers={200: answer_schemas.ASYNCAPI},
    )
    def asyncapi(self, _: Request) -> Reply:
        return self.docs.asyncapi()

    @endpoint(
        "GET",
        "/api/v1/schemas/<uri>",
        en="Show the JSON Schema of a view, by the URI that events name in `dataschema`.",
        zh="事件数据的结构（JSON Schema），以事件的 dataschema 为名。",
        public=True,
        answers={200: answer_schemas.SCHEMA},
    )
    def schema(self, _: Request, uri: str) -> Reply:
        return self.docs.schema(uri)

    @endpoint(
        "GET",
        "/docs",
        en="Show the page on which every address can be read about and tried.",
        zh="接口文档页面。",
        public=True,
        answers={200: json_schema.PAGE},
    )
    def documentation(self, _: Request) -> Reply:
        return self.docs.interactive_page()

    @endpoint(
        "GET",
        "/docs/assets/<name>",
        en="Download a file that the pages use.",
        zh="页面文件。",
        public=True,
        asks=parameters.FILE,
        answers={200: json_schema.ASSET},
    )
    def asset(self, _: Request, name: str) -> Reply:
        return rendering.asset(name).reply()

    @endpoint(
        "GET",
        "/problems",
        en="Show all error codes and all rules as a page.",
        zh="错误代码与规则一览。",
        public=True,
        answers={200: json_schema.PAGE},
    )
    def problems(self, _: Request) -> Reply:
        return self.docs.problem_list_page()

    @endpoint(
        "GET",
        "/roles",
        en="Show which role may call which operation as a page.",
        zh="角色权限一览。",
        public=True,
        answers={200: json_schema.PAGE},
    )
    def role_matrix(self, _: Request) -> Reply:
        return self.docs.role_matrix_page()

    @endpoint(
        "GET",
        "/fields",
        en="Show which field of a record who may read as a page.",
        zh="字段类别与读者一览。",
        public=True,
        answers={200: json_schema.PAGE},
    )
    def field_table(self, _: Request) -> Reply:
        return self.docs.field_table_page()

    @endpoint(
        "GET",
        "/health",
        en="Check that the process works; on 503 restart it.",
        zh="进程是否正常。",
        public=True,
        answers={200: answer_schemas.HEALTH, 503: answer_schemas.HEALTH},
    )
    def health(self, _: Request) -> Reply:
        return Reply.of_health(self.process_health.health())

    @endpoint(
        "GET",
        "/ready",
        en="Check that the gateway can answer now; 503 while it cannot.",
        zh="是否就绪。",
        public=True,
        answers={200: answer_schemas.READY, 503: answer_schemas.READY},
    )
    def ready(self, _: Request) -> Reply:
        return Reply.of_health(self.process_health.ready())

    @endpoint(
        "GET",
        "/metrics",
        en="Export the metrics for Prometheus.",
        zh="监控指标。",
        public=True,
        answers={200: json_schema.PLAIN},
    )
    def metrics(self, _: Request) -> Reply:
        return Reply.of_health(self.process_health.metrics())
