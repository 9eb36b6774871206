"""Certificates over HTTP: staff print them, and anybody can check one."""

from __future__ import annotations

from functools import cache, partial
from typing import Any, get_args
from urllib.parse import quote

from eventlet import tpool

from gateway.documents.certificate_pdf import NoFont, draw
from gateway.http.caching import PrecompressedDocument
from gateway.http.json_schema import DAY, TEXT, WHOLE, each, maybe, of_type, one_of
from gateway.http.messages import Reply, Request
from gateway.http.parameters import Parameter
from gateway.pages import rendering
from gateway.upstream.proxy import ServiceProxy
from services.chassis.problem import Unavailable
from services.contract import awards, glossary

KIND = awards.Award.kind.key
PDF = "application/pdf"
CODE = Parameter(str, "The code beside the number.", "证书编号旁的校验码。", {"examples": ["ABCD-2345-WXYZ"]})

ASKS = {"code": CODE}
PRINTED = of_type(PDF)
CHECKED = each(
    certificate_no=TEXT,
    programme_kind=one_of(*get_args(awards.ProgrammeKind)),
    level=one_of(*get_args(awards.EditionLevel)),
    edition_no=WHOLE,
    year=WHOLE,
    award_kind=one_of(*get_args(awards.PrizeKind)),
    grade=one_of(*get_args(awards.Grade)),
    document_no=TEXT,
    granted_on=DAY,
    issued_on=maybe(DAY),
    revoked_on=maybe(DAY),
    state=one_of("granted", "revoked"),
)

STATES = {"granted": "证书有效。 Valid.", "revoked": "该奖项已被撤销，证书无效。 Revoked."}
"""The first line of the page's answer."""


class NotDrawn(Unavailable):
    """The certificate has a character that no installed font has."""

    title_en = "No font of this machine has every character of the certificate: the operator has to install one."
    title_zh = "本机字体缺少证书所需的字，请运维人员安装中文字体。"


def checked(services: ServiceProxy, certificate_no: str, request: Request) -> Any:
    """Show the certificate without names; raises the same `NotFound` for a wrong number and for a wrong code."""
    return services.ask("awards", "check_certificate", {**request.params, "certificate_no": certificate_no}, request)


def printed(services: ServiceProxy, award_id: str, request: Request) -> Reply:
    """Answer with the certificate as a PDF to be sealed; raises `NotDrawn`."""
    certificate = services.ask("awards", "certificate_of", {"award_id": award_id}, request)
    try:
        pdf = tpool.execute(partial(draw, certificate, check_at=f"{request.host}/certificates"))
    except NoFont:
        raise NotDrawn() from None
    name = quote(f"{certificate['certificate_no']}.pdf", safe="")
    return Reply(pdf, headers={"Content-Disposition": f'inline; filename="{name}"'}, content_type=PDF)


@cache
def page() -> PrecompressedDocument:
    """Render the page on which anybody checks a certificate, with the words for every answer."""
    shown = {name: shape for name, shape in CHECKED["properties"].items() if name != "state"}
    fields = {name: glossary.field(name, of=KIND) for name in shown}
    values = {
        name: {choice: glossary.value(choice, field=name, of=KIND) for choice in shape["enum"]}
        for name, shape in shown.items()
        if "enum" in shape
    }
    return rendering.page("/certificates", words={"states": STATES, "fields": fields, "values": values})
