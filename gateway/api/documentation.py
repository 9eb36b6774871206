"""The documents about the gateway: OpenAPI, AsyncAPI, role matrix and problem list, as JSON and as pages.

They are made of the endpoints' declarations and of the services' descriptions, anew whenever a description has changed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gateway.api import answer_schemas, asyncapi, catalogue, field_table, openapi, problem_list, role_matrix
from gateway.api.catalogue import Operation, Route, ServiceDescriptions
from gateway.api.endpoint import Endpoint
from gateway.http import parameters
from gateway.http.caching import PrecompressedDocument
from gateway.http.messages import JSON, Reply
from gateway.pages import rendering
from gateway.upstream.descriptions import Descriptions
from services.chassis.fields import json_schema
from services.chassis.provider import Provider
from services.contract import EVERY_KIND, wire

JSON_SCHEMA = "https://json-schema.org/draft/2020-12/schema"


class Documentation:
    """Answers with the documents about the gateway, each made once for the same descriptions of the services."""

    def __init__(self, routes: Callable[[], list[Route]], descriptions: Descriptions) -> None:
        self._routes, self._descriptions = routes, descriptions
        self._made_of: ServiceDescriptions = {}
        self._documents: dict[str, PrecompressedDocument] = {}

    def openapi(self) -> Reply:
        """Every operation over HTTP, as OpenAPI 3.1."""
        return self._document("openapi", self._openapi)

    def asyncapi(self) -> Reply:
        """Every event and RPC method, as AsyncAPI 3.0."""
        return self._document("asyncapi", lambda described: _json(asyncapi.document(described)))

    def schema(self, uri: str) -> Reply:
        """The JSON Schema that `dataschema` of an event names."""
        kinds = {kind.schema_uri: kind for kind in EVERY_KIND.values()}
        if uri not in kinds:
            raise parameters.not_known("schema", "结构", uri, kinds)
        schema = {"$schema": JSON_SCHEMA, "$id": uri, **kinds[uri].json_schema}
        return Reply(schema, content_type=answer_schemas.SCHEMA_TYPE)

    def roles(self) -> Reply:
        """The roles of every operation, as JSON."""
        return self._document("roles", lambda described: _json(catalogue.matrix(self._operations(described))))

    def role_matrix_page(self) -> Reply:
        """The roles of every operation, as a page."""
        return self._document("/roles", lambda described: role_matrix.page(self._operations(described)))

    def field_table_page(self) -> Reply:
        """Every field of every record with its class and its readers, as a page."""
        return self._document("/fields", field_table.page)

    def problem_list_page(self) -> Reply:
        """Every error code and every rule, as a page."""
        return self._document("/problems", problem_list.page)

    def interactive_page(self) -> Reply:
        """The page that shows the OpenAPI document and lets a reader try every address."""
        return self._document("/docs", lambda _: rendering.page("/docs"))

    def _openapi(self, described: ServiceDescriptions) -> PrecompressedDocument:
        return _json(openapi.document(self._operations(described), described))

    def _operations(self, described: ServiceDescriptions) -> list[Operation]:
        return catalogue.operations(self._routes(), described)

    def _document(self, name: str, make: Callable[[ServiceDescriptions], PrecompressedDocument]) -> Reply:
        """The document made of the descriptions as they are now; not stored where they changed while it was made."""
        described = self._descriptions.by_service
        if described is not self._made_of:
            self._made_of, self._documents = described, {}
        document = self._documents.get(name) or make(described)
        if described is self._made_of:
            self._documents[name] = document
        return document.reply()


class DocumentationProvider(Provider[Documentation]):
    """Provides the documents, made of the endpoints of its own service."""

    descriptions = Descriptions()

    def setup(self) -> None:
        """Make no document yet: services are heard later, and each document is made when it is first read."""
        self._documentation = Documentation(self._routes, self.descriptions)

    def provide(self) -> Documentation:
        """Return the documents."""
        return self._documentation

    def _routes(self) -> list[Route]:
        return [_route(entrypoint) for entrypoint in self.container.entrypoints if isinstance(entrypoint, Endpoint)]


def _route(endpoint: Endpoint) -> Route:
    return Route(
        name=endpoint.method_name,
        method=endpoint.method,
        url=endpoint.url,
        en=endpoint.en,
        zh=endpoint.zh,
        public=endpoint.public,
        roles=endpoint.roles,
        asks=endpoint.asks or parameters.NOTHING,
        takes=json_schema(endpoint.takes) if endpoint.takes else None,
        answers=endpoint.answers,
        for_each=endpoint.for_each,
    )


def _json(document: dict[str, Any]) -> PrecompressedDocument:
    return PrecompressedDocument(wire.encode(document), JSON)
