"""Organisations that found an association of their own in the demo year."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

from deploy.demo.story import Story


def organisations() -> Iterator[Story]:
    """Yield new organisations, one of which has not held its founding meeting, and one outside the city."""
    yield _organisation("org-university", "乐山师范学院科学技术协会", "university", "lsnu", "511102", founded=True)
    yield _organisation("org-university-2", "乐山职业技术学院科协", "university", "lszyjs", "511102", founded=False)
    yield _organisation("org-enterprise", "东风电机厂科学技术协会", "enterprise", "dfem", "511112", founded=True)
    double = Story("organisation-double")
    double.tell(
        "members", "create_organisation", organisation_id="org-elsewhere", name="成都某大学科协",
        organisation_kind="university", institution_id="elsewhere", district="510104", workers_count=900,
        expected="M-08",
    )  # fmt: skip
    yield double


def _organisation(id: str, name: str, kind: str, institution: str, district: str, *, founded: bool) -> Story:  # noqa: A002
    story = Story(id)
    story.tell(
        "members", "create_organisation", organisation_id=id, name=name, organisation_kind=kind,
        institution_id=institution, district=district, workers_count=620,
    )  # fmt: skip
    story.tell("members", "apply_organisation", organisation_id=id)
    story.tell(
        "members",
        "approve_organisation",
        by="chair",
        organisation_id=id,
        approval_doc_no=f"乐市科协〔2011〕{len(id)}号",
    )
    established: dict[str, Any] = {"organisation_id": id, "established_on": date(2011, 11, 18)}
    story.tell("members", "establish_organisation", by="chair", **established, expected="M-07")
    if founded:
        story.tell(
            "members", "hold_founding_meeting", organisation_id=id, held_on=date(2011, 11, 10), called=120,
            attended=108, minutes_doc="成立大会纪要", charter_doc="章程", chair_person_id=f"p-chair-{institution}",
        )  # fmt: skip
        story.tell("members", "establish_organisation", by="chair", **established)
        story.repeat()
        story.tell("members", "activate_organisation", by="chair", organisation_id=id)
    return story
