"""Notices and certificates."""

from __future__ import annotations

from typing import Any

from gateway.api.documentation import Documentation
from gateway.api.endpoint import endpoint
from gateway.http import json_schema
from gateway.http.messages import Reply, Request
from gateway.public import certificates, notices
from gateway.reporting.query_service import QueryService
from gateway.upstream.proxy import ServiceProxy
from services.chassis.service import STAFF


class PublicEndpoints:
    """What anybody may read without an account."""

    query_service: QueryService
    services: ServiceProxy
    docs: Documentation

    @endpoint("GET", "/api/v1/notices", public=True, asks=notices.ASKS, answers={200: notices.NOTICES})
    def all_notices(self, request: Request) -> Any:
        """What is on public display until when, without names; a withdrawn one is not (F12). 公示。"""
        return notices.displayed(self.query_service, request.params)

    @endpoint("GET", "/notices", public=True, asks=notices.ASKS, answers={200: json_schema.PAGE})
    def noticeboard(self, request: Request) -> Reply:
        """The notices to read. 公示页面。"""
        return self.docs.notices(
            notices.displayed(self.query_service, request.params), ended=request.params.get("ended", False)
        )

    @endpoint(
        "GET", "/api/v1/certificates/<certificate_no>", public=True, asks=certificates.ASKS,
        answers={200: certificates.CHECKED},
    )  # fmt: skip
    def check_certificate(self, request: Request, certificate_no: str) -> Any:
        """Whether a certificate is genuine and its award still stands; no names. 证书查验。"""
        return certificates.checked(self.services, certificate_no, request)

    @endpoint("GET", "/api/v1/awards/certificates/<id_>.pdf", roles=STAFF, answers={200: certificates.PRINTED})
    def certificate(self, request: Request, id_: str) -> Reply:
        """The certificate of an award, to be printed and sealed. 证书（PDF）。"""
        return certificates.printed(self.services, id_, request)

    @endpoint("GET", "/certificates", public=True, answers={200: json_schema.PAGE})
    def certificates(self, _: Request) -> Reply:
        """Check a certificate. 证书查验页面。"""
        return self.docs.certificates()
