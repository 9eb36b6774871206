"""Notices and certificates."""

from __future__ import annotations

from typing import Any

from gateway.api.endpoint import endpoint
from gateway.http import json_schema
from gateway.http.messages import Reply, Request
from gateway.public import certificates, notice_board, notices
from gateway.reporting.query_service import QueryService
from gateway.upstream.proxy import ServiceProxy
from services.chassis.tokens import STAFF


class PublicEndpoints:
    """Information for anybody, without an account."""

    query_service: QueryService
    services: ServiceProxy

    @endpoint(
        "GET",
        "/api/v1/notices",
        en="List the notices on public display, without names; withdrawn ones are left out (F12).",
        zh="公示。",
        public=True,
        asks=notices.ASKS,
        answers={200: notices.NOTICES},
    )
    def all_notices(self, request: Request) -> Any:
        return notices.displayed(self.query_service, request.params)

    @endpoint(
        "GET",
        "/notices",
        en="Show the notices on public display as a page.",
        zh="公示页面。",
        public=True,
        asks=notices.ASKS,
        answers={200: json_schema.PAGE},
    )
    def noticeboard(self, request: Request) -> Reply:
        notices_shown = notices.displayed(self.query_service, request.params)
        return notice_board.page(notices_shown, ended=request.params.get("ended", False)).reply()

    @endpoint(
        "GET",
        "/api/v1/certificates/<certificate_no>",
        en="Check whether a certificate is genuine and its award still stands; no names are shown.",
        zh="证书查验。",
        public=True,
        asks=certificates.ASKS,
        answers={200: certificates.CHECKED},
    )
    def check_certificate(self, request: Request, certificate_no: str) -> Any:
        return certificates.checked(self.services, certificate_no, request)

    @endpoint(
        "GET",
        "/api/v1/awards/certificates/<id_>.pdf",
        en="Download the certificate of an award, to be printed and sealed.",
        zh="证书（PDF）。",
        roles=STAFF,
        pool="exports",
        noted=True,
        answers={200: certificates.PRINTED},
    )
    def certificate(self, request: Request, id_: str) -> Reply:
        return certificates.printed(self.services, id_, request)

    @endpoint(
        "GET",
        "/certificates",
        en="Show the page on which anybody can check a certificate.",
        zh="证书查验页面。",
        public=True,
        answers={200: json_schema.PAGE},
    )
    def certificates(self, _: Request) -> Reply:
        return certificates.page().reply()
