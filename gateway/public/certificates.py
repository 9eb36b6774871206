"""Certificates over HTTP: printed for staff, checked by anybody who has one in hand."""

from __future__ import annotations

import json
from functools import partial
from html import escape
from typing import Any, get_args
from urllib.parse import quote

from eventlet import tpool

from gateway.documents.certificate_pdf import NoFont, draw
from gateway.http.json_schema import DAY, TEXT, WHOLE, each, maybe, of_type, one_of
from gateway.http.messages import Reply, Request
from gateway.http.parameters import Parameter
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
"""What the page says first."""


class NotDrawn(Unavailable):
    title_en = "No font of this machine has every character of the certificate: the operator has to install one."
    title_zh = "本机字体缺少证书所需的字，请运维人员安装中文字体。"


def checked(services: ServiceProxy, certificate_no: str, request: Request) -> Any:
    """What stands on the certificate, without names; `NotFound` for a wrong number and a wrong code alike."""
    return services.ask("awards", "check_certificate", {**request.params, "certificate_no": certificate_no}, request)


def printed(services: ServiceProxy, award_id: str, request: Request) -> Reply:
    """The certificate as a page to be sealed."""
    said = services.ask("awards", "certificate_of", {"award_id": award_id}, request)
    try:
        page = tpool.execute(partial(draw, said, check_at=f"{request.host}/certificates"))
    except NoFont:
        raise NotDrawn() from None
    name = quote(f"{said['certificate_no']}.pdf", safe="")
    return Reply(page, headers={"Content-Disposition": f'inline; filename="{name}"'}, content_type=PDF)


def filled() -> dict[str, str]:
    """What the page's template needs: the words for what is told."""
    fields = {name: glossary.field(name, of=KIND) for name in CHECKED["properties"] if name != "state"}
    values = {
        name: {choice: glossary.value(choice, field=name, of=KIND) for choice in shape["enum"]}
        for name, shape in CHECKED["properties"].items()
        if "enum" in shape and name != "state"
    }
    return {"words": escape(json.dumps({"states": STATES, "fields": fields, "values": values}, ensure_ascii=False))}
