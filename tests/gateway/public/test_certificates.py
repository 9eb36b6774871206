"""Certificates: drawn for staff, checked by anybody, and nobody is named to those who only ask."""

import re
from itertools import pairwise

import pytest

from gateway.documents import certificate_pdf, fonts
from gateway.documents.certificate_pdf import NoFont, draw
from services.awards.service import Awards
from services.chassis.document import Cause
from services.chassis.records import Bound
from services.chassis.tokens import Actor
from tests.awards.examples import a_grant
from tests.gateway.documents.test_yearly_report_docx import LATIN_ONLY

NUMBER, CODE = "YOUTH-2011-10-0007", "ABCD-2345-WXYZ"
CHECK = f"/api/v1/certificates/{NUMBER}"
PAPER = "/api/v1/awards/certificates/e-1.1.7.pdf"
SHOWN = {
    "certificate_no": NUMBER, "programme_kind": "youth", "level": "city", "edition_no": 10, "year": 2011,
    "award_kind": "graded", "grade": "second", "document_no": "乐科协〔2011〕9号", "granted_on": "2011-05-10",
    "names": ["Li Ming"], "title": None, "check_code": CODE,
}  # fmt: skip


@pytest.fixture
def gateway(gateway):
    gateway.running.start(Awards)
    return gateway


@pytest.fixture
def drawn(monkeypatch):
    """The lines that are drawn, in a font that every machine has."""
    lines = []
    monkeypatch.setattr(fonts, "font_with", lambda *_: LATIN_ONLY[0])
    drawing = certificate_pdf._lines

    def note(*said):
        lines[:] = drawing(*said)
        return [
            certificate_pdf.CertificateLine("x", line.x, line.y, line.size) for line in lines
        ]  # the font has no Chinese

    monkeypatch.setattr(certificate_pdf, "_lines", note)
    return lines


def grant(gateway, award_id="e-1.1.7", **changes):
    """An award as the line of a notice makes it."""
    (container,) = [one for one in gateway.running.containers if one.service_name == "awards"]
    (records,) = [one for one in container.dependencies if getattr(one, "kind", None) and one.kind.name == "award"]
    cause = Cause(
        because=f"grant {award_id}", actor=Actor("u-zhang", frozenset(), None), at=gateway.running.clock.now()
    )
    Bound(records, cause).add(a_grant(**{"subject_type": "person", "subject_id": "p-tutor", **changes}), award_id)


def do(gateway, command, by="u-li", roles=("recorder",), **said):
    return gateway.post(f"/api/v1/awards/{command}", said, by=by, roles=roles)


def check(gateway, code=CODE, at=CHECK):
    return gateway.get(f"{at}?code={code}", token="")


# --- the public check -------------------------------------------------------------------------------------------------


@pytest.mark.rule("X-08", "A-29")
def test_anybody_learns_whether_a_certificate_is_genuine_and_nobody_s_name(gateway):
    grant(gateway)
    assert check(gateway).status == 404  # nothing was printed yet
    do(gateway, "issue_certificate", award_id="e-1.1.7", names=["小明"])

    found = check(gateway, "abcd2345wxyz")

    assert (found.status, found.body["state"], found.body["grade"]) == (200, "granted", "second")
    assert (found.body["document_no"], found.body["granted_on"]) == ("乐科协〔2011〕9号", "2011-05-10")
    for private in ("小明", "p-tutor", CODE):
        assert private not in found.content.decode()


def test_a_wrong_code_and_a_wrong_number_are_answered_alike(gateway):
    grant(gateway)
    do(gateway, "issue_certificate", award_id="e-1.1.7", names=["小明"])

    wrong = [check(gateway, "ABCD-2345-WXYA"), check(gateway, at="/api/v1/certificates/YOUTH-2011-10-0008")]

    assert [one.status for one in wrong] == [404, 404]
    assert wrong[0].body == wrong[1].body
    assert gateway.get(CHECK, token="").status == 400


@pytest.mark.rule("A-24", "A-25")
def test_a_revoked_award_says_so_and_a_certificate_that_was_replaced_is_not_found(gateway):
    grant(gateway)
    do(gateway, "issue_certificate", award_id="e-1.1.7", names=["小明"])
    refused = do(gateway, "issue_certificate", award_id="e-1.1.7", names=["小鸣"])
    assert (refused.status, refused.body["code"]) == (422, "A-25")

    do(gateway, "issue_certificate", award_id="e-1.1.7", names=["小鸣"], reason="姓名有误")
    assert check(gateway).status == 404

    told = gateway.running.call("awards", "certificate_of", award_id="e-1.1.7")
    chair = {"by": "u-zhang", "roles": ["chair"]}
    revoking = {"award_id": "e-1.1.7", "reason_code": "fraud", "reason": "数据造假"}
    assert do(gateway, "revoke_award", **revoking, **chair).body["code"] == "A-24"
    do(gateway, "revoke_award", **revoking, document_no="乐科协〔2011〕20号", **chair)
    found = check(gateway, told["check_code"]).body
    assert (found["state"], found["revoked_on"]) == ("revoked", gateway.running.clock.now().date().isoformat())


def test_the_page_lets_anybody_type_number_and_code_and_asks_nothing_of_the_internet(gateway):
    page = gateway.get("/certificates", token="")

    text = page.content.decode()
    assert page.status == 200
    assert {"certificate_no", "code"} == set(re.findall(r'<input name="(\w+)"', text))
    assert "script-src 'self';" in page.headers["Content-Security-Policy"]
    assert not re.search(r"https?://|<script[^>]*>[^<]|\son\w+=|style=", text)
    for address in re.findall(r'(?:src|href)="([^"]+)"', text):
        if not address.startswith("/asyncapi") and not address.startswith("/openapi"):
            assert gateway.get(address, token="").status == 200, address


# --- the paper --------------------------------------------------------------------------------------------------------


def test_staff_get_the_certificate_as_pdf_and_nobody_else_does(gateway, drawn):
    grant(gateway)
    assert gateway.get(PAPER, roles=["recorder"]).status == 404
    do(gateway, "issue_certificate", award_id="e-1.1.7", names=["小明"])

    for denied in (gateway.get(PAPER, token=""), gateway.get(PAPER), gateway.get(PAPER, roles=["judge"])):
        assert denied.status in (401, 403)
    paper = gateway.get(PAPER, roles=["recorder"])

    assert (paper.status, paper.headers["Content-Type"]) == (200, "application/pdf")
    assert paper.headers["Cache-Control"] == "no-store"
    assert paper.content.startswith(b"%PDF-")
    said = [line.text for line in drawn]
    assert {"小明", "二等奖", "2011年5月10日", f"证书编号：{NUMBER}"} <= set(said)
    assert [line for line in said if "ABCD-2345-WXYZ" in line and "/certificates" in line]


def test_where_no_font_has_the_characters_nothing_is_drawn(gateway, monkeypatch):
    grant(gateway)
    do(gateway, "issue_certificate", award_id="e-1.1.7", names=["小明"])
    monkeypatch.setattr(fonts, "_font_files", lambda: tuple(LATIN_ONLY))

    refused = gateway.get(PAPER, roles=["recorder"])

    assert (refused.status, "字体" in refused.body["zh"]) == (503, True)
    with pytest.raises(NoFont):
        draw(SHOWN, check_at="x")


@pytest.mark.rule("X-12")
def test_no_certificate_of_a_revoked_award_is_printed(gateway):
    grant(gateway)
    do(gateway, "issue_certificate", award_id="e-1.1.7", names=["小明"])
    do(
        gateway, "revoke_award", by="u-zhang", roles=["chair"],
        award_id="e-1.1.7", document_no="乐科协〔2011〕20号", reason_code="fraud", reason="数据造假",
    )  # fmt: skip

    refused = gateway.get(PAPER, roles=["recorder"])

    assert (refused.status, refused.body["code"]) == (422, "X-12")


@pytest.mark.parametrize(
    ("changes", "prize"),
    [
        ({}, "二等奖"),
        ({"award_kind": "organisation", "grade": "none"}, "优秀组织奖"),
        ({"award_kind": "tutor", "grade": "none"}, "优秀科技辅导员"),
        ({"award_kind": "commendation", "grade": "none"}, "表彰"),
        ({"award_kind": "special", "grade": "none"}, "专项奖"),
    ],
)
def test_a_certificate_says_what_the_prize_is_called(drawn, changes, prize):
    draw({**SHOWN, **changes}, check_at="kexie/certificates")

    said = [line.text for line in drawn]
    assert prize in said
    assert "在2011年第10届市级青少年科技创新大赛中荣获" in said


@pytest.mark.parametrize("names", [["小明"], ["小明", "小红"], ["乐山市五通桥区牛华镇第二小学校科技辅导站"] * 20])
def test_however_many_names_there_are_all_of_them_have_room(drawn, names):
    draw({**SHOWN, "names": names, "title": "作品" * 100}, check_at="kexie/certificates")

    (top, bottom) = (line.y for line in drawn if line.text.startswith("荣 誉") or line.text.startswith("在2011"))
    between = [line for line in drawn if bottom < line.y < top]
    assert "".join(line.text for line in between) == "、".join(names) + f"《{'作品' * 100}》"
    for upper, lower in pairwise(between):
        assert upper.y - lower.y >= lower.size * certificate_pdf.POINT


@pytest.mark.usefixtures("drawn")
def test_the_same_certificate_is_the_same_bytes():
    first, second = (draw(SHOWN, check_at="kexie/certificates") for _ in range(2))

    assert first == second
