"""Named examples: events as the services would say them, and the plan they are counted by."""

from pathlib import Path

from gateway.plans import plan_file
from services.contract import KINDS
from services.contract.event import Event, read

FILE = Path(plan_file.__file__).parent / "2011.yaml"
PLAN = plan_file.read(FILE.name, FILE.read_bytes())

COUNT = {
    "activity_id": "a-1", "day": "2011-05-14", "mode": "offline", "method": "headcount", "person_times": 300,
    "minors": None, "handouts": None, "consultations": None, "format": "plaza", "district": "511102",
    "campaign_id": None, "venue_id": None, "counts_for_k2": True, "superseded_by": None, "state": "verified",
}  # fmt: skip

RESULT = {
    "series": "youth_contest", "level": "province", "edition_no": 26, "category": "innovation_project",
    "award_kind": "graded", "grade": "first", "district": "511102", "entry_id": None,
    "awarded_on": "2011-08-01", "state": "verified",
}  # fmt: skip

RECEIPT = {
    "grant_id": "g-1", "voucher_no": "v-1", "source_level": "central", "fen": 60_000_000, "returned_fen": 0,
    "net_fen": 60_000_000, "received_on": "2011-06-01", "district": None, "state": "received",
}  # fmt: skip

GRANT = {
    "source_level": "central", "approved_fen": 60_000_000, "approved_on": "2011-03-01", "decision_doc_no": "d-1",
    "district": None, "vouchers": [], "state": "approved",
}  # fmt: skip

ASSOCIATION = {
    "name": "乐山市茶叶协会", "industry": "tea", "district": "511123", "township_code": "511123001",
    "registration_kind": "civil", "first_registered_on": "2011-04-01", "members_count": 60, "households": None,
    "predecessor_ids": [], "is_new": True, "merged_into": None, "state": "active",
}  # fmt: skip

POINT = {
    "name": "站", "village_code": "511123001001", "district": "511123", "host_id": "h-1", "capacity": None,
    "station": "accepted", "column": "accepted", "officer": "accepted", "parts_accepted": 3,
    "completed_on": "2011-09-01", "state": "complete",
}  # fmt: skip

ORGANISATION = {
    "name": "乐山师范学院科协", "organisation_kind": "university", "institution_id": "i-1", "parent_id": None,
    "district": "511102", "workers_count": 300, "approval_doc_no": "d-2", "founding_meeting_on": "2011-10-10",
    "established_on": "2011-10-10", "state": "established",
}  # fmt: skip

CAMPAIGN = {
    "campaign_kind": "spring", "year": 2011, "starts_on": "2011-03-01", "ends_on": "2011-03-31", "counts_for_k2": True,
    "state": "closed",
}  # fmt: skip

ACTIVITY = {
    "campaign_id": None, "format": "lecture", "delivery": "on_site", "lead_org_id": "o-1", "co_org_ids": [],
    "venue_id": None, "venue_suspended": False, "district": "511102", "days": ["2011-01-04"], "key_groups": [],
    "counts_for_k2": True, "held_on": "2011-01-04", "state": "held",
}  # fmt: skip

LINE = {
    "line_no": 1, "award_kind": "graded", "grade": "first", "subject_type": "entry", "subject_id": "e-7",
    "entry_id": "e-7", "category_code": "physics", "rank": 1, "decided_by": "adjusted_mean", "departs": False,
    "state": "proposed", "document_no": None, "granted_on": None,
}  # fmt: skip

NOTICE = {
    "edition_id": "paper-9", "programme_kind": "paper", "level": "city", "edition_no": 9, "year": 2011,
    "starts_at": "2011-05-01T00:00:00+08:00", "ends_at": "2011-05-08T00:00:00+08:00", "lines": [LINE],
    "inputs_hash": "0" * 64, "url": "http://lskx.example/notice/9", "office_line": "0833-2442121",
    "state": "published",
}  # fmt: skip

EXAMPLES = {
    "outreach.campaign": CAMPAIGN,
    "outreach.activity": ACTIVITY,
    "outreach.audience_count": COUNT,
    "awards.external_result": RESULT,
    "awards.notice": NOTICE,
    "rural.fund_receipt": RECEIPT,
    "rural.fund_grant": GRANT,
    "rural.association": ASSOCIATION,
    "rural.service_point": POINT,
    "members.organisation": ORGANISATION,
}


def an_event(kind="outreach.audience_count", record="c-1", version=1, *, happened=None, time=None, **changes):
    """Version `version` of a record like the example of its kind, with these fields changed; checked as on arrival."""
    known = KINDS[kind]
    event = Event(
        kind=known,
        record=record,
        version=version,
        happened=happened or known.happenings[0],
        time=time or f"2011-05-14T10:00:{version % 60:02}.000+08:00",
        actor="u-li",
        cause=f"command-{record}-{version}",
        hash="0" * 64,
        data=EXAMPLES[kind] | changes,
    )
    return read(event.write())


def kpi(code):
    return next(kpi for _, kpi in PLAN.kpis() if kpi.code == code)


def a_plan(*changes):
    """The plan of 2011 with some of its words changed, each by (old, new)."""
    text = FILE.read_text()
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new, 1)
    return plan_file.read("changed.yaml", text.encode())
