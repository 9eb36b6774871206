"""Named examples for the tests of awards; what a test does not say stands here."""

from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal

from services.awards.domain import award, edition, entry, external_result, rules
from services.awards.domain.material import Attachment, Entrant, Material
from services.contract.awards import Criterion, EditionCategory, NoticeLine, Quota
from services.kernel.calendar import SHANGHAI

LATER = date(2011, 12, 31)  # today, where a test does not say which day it is

A_PRIZE = {
    "series": "youth_contest",
    "level": "province",
    "edition_no": 26,
    "category": "innovation_project",
    "award_kind": "graded",
    "grade": "second",
    "title": "可调节茶叶采摘器",
    "first_entrant": "小明",
    "awarded_on": date(2011, 3, 27),
    "document_sha256": "a" * 64,
    "district": "511102",
}


def a_report(**changes):
    """The change that reporting a prize answers."""
    return external_result.report(**{**A_PRIZE, "today": LATER, "by": "u-li", **changes})


def a_result(*, state="reported", **changes):
    """A prize in any of its states, reported by u-li."""
    return replace(a_report(**changes).record, state=state)


A_CRITERION = Criterion(
    criterion_code="innovation",
    weight=Decimal(40),
    max=Decimal(100),
    step=Decimal("0.5"),
    required=True,
    independent=False,
)
IN_WINDOW = datetime(2011, 3, 20, 10, tzinfo=SHANGHAI)
FORM, WORK = (Attachment(sha256=one * 64, attachment_kind=kind) for one, kind in (("f", "signed_form"), ("e", "work")))


def a_category(**changes):
    """Innovation projects, alone, judged blind by three."""
    usual = {
        "category_code": "innovation",
        "participation": "individual",
        "max_team": 3,
        "blind": True,
        "min_scores": 3,
        "rubric": (A_CRITERION,),
        "quotas": (Quota(grade="first", percent=10), Quota(grade="second", percent=20)),
    }
    return EditionCategory(**{**usual, **changes})


A_TEAM = a_category(category_code="team", participation="team")
A_HOME = a_category(category_code="home", participation="organisation")


def some_rules(programme_kind="youth", **changes):
    """Entries in March, of works of the two years before 1 July, judged in April."""
    usual = {
        "submit_from": date(2011, 3, 1),
        "submit_to": date(2011, 3, 31),
        "judge_from": date(2011, 4, 10),
        "judge_to": date(2011, 4, 20),
        "work_from": date(2009, 7, 1),
        "work_to": date(2011, 6, 30),
        "categories": (a_category(), A_TEAM, A_HOME),
        "award_cap_percent": 60,
        "tie_break": ("adjusted_mean", "committee"),
        "tie_policy": "committee",
        "normalisation": "mean",
        "publicity_days": 7,
        "publicity_unit": "calendar",
        "revocation_days": 183,
    }
    return rules.state(programme_kind, **{**usual, **changes})


def an_edition(*, programme_kind="youth", state="collecting", rules=None, **changes):
    """The city's 10th youth contest, open since 1 March."""
    usual = {
        "programme_kind": programme_kind,
        "level": "city",
        "edition_no": 10,
        "year": 2011,
        "host_org_id": "o-city",
        **vars(rules or some_rules(programme_kind)),
        "opened_at": datetime(2011, 3, 1, 8, tzinfo=SHANGHAI),
        "state": state,
    }
    return edition.Edition(**{**usual, **changes})


def an_entrant(person_ref="p-ming", **changes):
    """A pupil of a school in Shizhong, whose guardian consents."""
    usual = {"unit_id": "s-1", "district": "511102", "stage": "primary", "minor": True, "consent_ref": "c-1"}
    return Entrant(person_ref=person_ref, **{**usual, **changes})


def a_material(*, entrants=("p-ming",), **changes):
    """What is handed in by these entrants."""
    usual = {
        "category_code": "innovation",
        "title": "可调节茶叶采摘器",
        "entrants": tuple(an_entrant(one) if isinstance(one, str) else one for one in entrants),
        "tutor_refs": ("p-tutor",),
        "attachments": (FORM, WORK),
        "originality_signed_on": date(2011, 3, 10),
        "work_on": date(2011, 2, 1),
    }
    return Material(**{**usual, **changes})


def a_submission(held=None, *, material=None, at=IN_WINDOW, by="u-li", **changes):
    """The change that submitting an entry answers."""
    usual = {"edition_id": "e-1", "nominating_unit_id": "o-shizhong", "district": "511102", "blind_code": "ABCD2345"}
    return entry.submit(held or an_edition(), material=material or a_material(), at=at, by=by, **{**usual, **changes})


def an_entry(*, state="submitted", shortcomings=(), correct_by=None, edition_id="e-1", **changes):
    """An entry in any of its states, handed in by u-li."""
    submitted = a_submission(edition_id=edition_id, material=a_material(**changes)).record
    return replace(submitted, state=state, shortcomings=shortcomings, correct_by=correct_by)


def a_granted_line(**changes):
    """The seventh line of a list: a second prize for an entry, granted in May."""
    usual = {
        "line_no": 7,
        "award_kind": "graded",
        "grade": "second",
        "subject_type": "entry",
        "subject_id": "n-1",
        "category_code": None,
        "rank": None,
        "decided_by": None,
        "departs": False,
        "state": "granted",
        "document_no": "乐科协〔2011〕9号",
        "granted_on": date(2011, 5, 10),
    }
    given = {**usual, **changes}
    return NoticeLine(entry_id=given["subject_id"] if given["subject_type"] == "entry" else None, **given)


def a_grant(held=None, one=None, **changes):
    """The change that granting a line answers."""
    line = a_granted_line(**changes)
    return award.grant(
        None,
        line,
        edition=held or an_edition(state="granted"),
        edition_id="e-1",
        entry=(one or an_entry(state="awarded")) if line.entry_id else None,
        check_code="ABCD-2345-WXYZ",
    )


def an_award(*, state="granted", issued_on=None, exhibition_consent=False, **changes):
    """An award in either of its states."""
    granted = a_grant(**changes).record
    return replace(granted, state=state, issued_on=issued_on, exhibition_consent=exhibition_consent)
