"""A contest full of marks, held over HTTP: every text that says something about somebody begins with `zzq`.

The other services are told something, too.
"""

import io
import re
import zipfile

from tests.journeys.contest import DAY_8, Contest

MARK = re.compile(rb"zzq[a-z]+")
OBJECTOR = {
    "objector_name": "zzqobjector", "id_number": "zzqidnumber", "unit": "zzqunit", "phone": "zzqphone",
    "grounds": "zzqgrounds",
}  # fmt: skip
SCORES = {"a": (90, 88), "b": (80, 82), "c": (70, 72), "d": (60, 62)}


class ByHttp(Contest):
    """As everybody does who has no program of their own; keeps what was answered."""

    def __init__(self, gateway, edition_no):
        super().__init__(gateway, edition_no)
        self.answers, self.marks_taken = [], set()

    def do(self, method, *, status=200, by=None, role=None, **arguments):
        return self.tell("awards", method, role or self._roles[method][0], status=status, by=by, **arguments)

    def tell(self, service, method, role, *, status=200, by=None, **arguments):
        path = f"/api/v1/{service}/{method}"
        answered = self.gateway.post(path, arguments, by=by or f"u-{role}", roles=(role,))
        self.answers.append((path, answered.content))
        self.marks_taken |= marks_in(str(arguments).encode()) if answered.status == 200 else set()
        assert answered.status == status, (method, answered.content.decode())
        return answered.body

    def refused(self, method, *, status=422, **arguments):
        self.do(method, status=status, **arguments)


def marks_in(content):
    """The marks in these bytes, in a zipped file too."""
    if content.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(content)) as zipped:
            content = b" ".join(zipped.read(name) for name in zipped.namelist())
    return {mark.decode() for mark in MARK.findall(content)}


def hold(contest):
    enter(contest)
    judge(contest)
    publish(contest)
    go_up(contest)
    elsewhere(contest)
    contest.settle()


def enter(contest):
    contest.open()
    pupil = {"person_ref": "p-a", "unit_id": contest.school("a"), "minor": True, "consent_ref": "zzqconsent"}
    pupil |= {"district": "511102", "stage": "primary"}
    contest.submit("a", title="zzqtitle", entrants=[pupil], tutor_refs=["zzqtutor"], exhibition_consent=True)
    contest.submit("b", title="zzqfirsttitle")
    for name in "cdef":
        contest.submit(name)
    contest.refused("submit_entry", **contest.like("x", title="zzqtitle", entrants=[pupil]))
    contest.refused("submit_entry", **contest.like("x", title="zzqlong" * 50), status=400)
    returned = {"shortcomings": ["incomplete"], "correct_by": "2011-03-20", "note": "zzqreturnnote"}
    contest.do("return_entry", entry_id=contest.entry("b"), **returned)
    contest.do("resubmit_entry", entry_id=contest.entry("b"), **contest.handed_in("b", title="zzqnewtitle"))
    contest.do("withdraw_entry", entry_id=contest.entry("e"), reason="zzqwithdrawreason")
    contest.check("b", "c", "d", "f")
    contest.do("check_eligibility", entry_id=contest.entry("a"), eligible=True, note="zzqchecknote")
    contest.do("disqualify_entry", entry_id=contest.entry("f"), reason="zzqdisqualifyreason")
    contest.settle()


def judge(contest):
    contest.appoint("luo", "tan", "wen", "qin")
    contest.do("suspend_judge", judge_id=contest.judge("qin"), reason="zzqsuspendreason")
    about = {"entry_id": contest.entry("d"), "conflict_type": "relative"}
    contest.do("declare_conflict", by=contest.judge("wen"), role="judge", **about, note="zzqconflictnote")
    pinned = {"judge_id": contest.judge("wen"), **about, "reason": "zzqpinreason"}
    contest.do("pin_conflict", **pinned)
    contest.do("release_conflict", **{**pinned, "reason": "zzqreleasereason"})
    contest.start("luo", "tan")
    sheets = contest.sheets()
    for (name, entry), sheet in sheets.items():
        contest.score(name, sheet, SCORES[entry][name == "tan"], comment=f"zzqcomment{name}")
    contest.do("reopen_score", sheet_id=sheets["tan", "a"]["id"], reason="zzqreopenscorereason")
    recused = {"conflict_type": "other", "reason": "zzqrecusereason"}
    contest.do("recuse_judge", sheet_id=sheets["tan", "a"]["id"], **recused)
    contest.do("replace_judge", sheet_id=sheets["tan", "a"]["id"], judge_id=contest.judge("wen"))
    contest.settle()
    contest.score("wen", contest.sheets()["wen", "a"], 88)
    contest.close()
    contest.do("reopen_round", round_id=contest.round_id, reason="zzqreopenroundreason")
    contest.settle()
    contest.close()


def publish(contest):
    contest.publish()
    contest.do("withdraw_notice", notice_id=contest.notice_id, reason="zzqwithdrawnoticereason")
    contest.settle()
    contest.notice_id = f"{contest.notice_id}-again"
    changed = {"entry_id": contest.entry("c"), "grade": "second", "reason": "zzqdecisionreason", "minute": "纪要"}
    passed = {**changed, "entry_id": contest.entry("b"), "grade": "none"}
    contest.publish(decisions=[changed, passed])
    objections = [contest.object(line_no, **OBJECTOR)["id"] for line_no in (1, 2)]
    contest.object(1, **{**dict.fromkeys(OBJECTOR), "grounds": "zzqanonymousgrounds"})
    contest.do("reject_objection", objection_id=objections[1], reason="zzqrejectreason")
    contest.do("accept_objection", objection_id=objections[0])
    contest.do("investigate_objection", objection_id=objections[0], handler_id="u-chair")
    contest.do("decide_objection", objection_id=objections[0], outcome="dismissed", reason="zzqdismissreason")
    contest.at(DAY_8)
    late = {"notice_id": contest.notice_id, "line_no": 1, **OBJECTOR}
    contest.refused("file_objection", **late)
    contest.settle()
    contest.grant()
    contest.do("issue_certificate", award_id=contest.award(1), names=["zzqprintedname"])
    again = {"names": ["zzqprintedname"], "reason": "zzqreissuereason"}
    contest.do("issue_certificate", award_id=contest.award(2), names=["zzqprintedname"])
    contest.do("issue_certificate", award_id=contest.award(2), **again)
    contest.revoke(1, reason="zzqrevokereason")


def go_up(contest):
    """What is said of prizes above, of nominations, of topics and of people who are recommended."""
    prize = {
        "series": "youth_contest", "level": "province", "edition_no": 26, "category": "innovation_project",
        "award_kind": "graded", "grade": "second", "title": "zzqprizetitle", "first_entrant": "zzqfirstentrant",
        "awarded_on": "2011-03-27", "document_sha256": "a" * 64,
    }  # fmt: skip
    contest.do("report_external_result", result_id="x-1", **prize)
    contest.refused("report_external_result", **prize)
    contest.do("verify_external_result", result_id="x-1")
    contest.do("revoke_external_result", result_id="x-1", document_no="3号", reason="zzqrevokeresultreason")
    call = {"to_series": "youth_contest", "to_level": "province", "to_edition_no": 26, "year": 2011, "places": 3}
    contest.do("open_nomination_call", call_id="c-1", from_edition_id=contest.id, document_no="5号", **call)
    nominated = {"nomination_id": "m-1", "call_id": "c-1", "entry_id": contest.entry("c"), "slot_no": 1}
    contest.do("nominate_entry", **nominated)
    contest.do("withdraw_nomination", nomination_id="m-1", reason="zzqwithdrawnominationreason")
    contest.do("close_nomination_call", call_id="c-1", reason="zzqclosecallreason")
    topic = {"enterprise_org_id": "o-tea", "title": "zzqtopictitle", "participant_ids": ["p-1"], "year": 2011}
    contest.do("register_topic", topic_id="t-1", registered_on="2011-02-20", **topic)
    contest.do("abandon_topic", topic_id="t-1", reason="zzqabandonreason")
    candidate = {
        "candidate_id": "p-luo", "target_kind": "talent_plan", "target_level": "province",
        "target_title": "zzqtargettitle", "proposer_org_ids": ["o-society"], "worker_document_sha256": "c" * 64,
        "misconduct_checked_on": "2011-02-28",
    }  # fmt: skip
    contest.do("recommend_talent", recommendation_id="y-1", **candidate)
    contest.do("withdraw_recommendation", recommendation_id="y-1", reason="zzqwithdrawtalentreason")


def elsewhere(contest):
    """What outreach, rural and members are told and do not publish; all of it is of one district or of the city."""
    tell, district = contest.tell, {"district": "511102"}
    brand = {"campaign_kind": "spring", "starts_on": "2011-01-01", "ends_on": "2011-12-31"}
    tell("outreach", "open_campaign", "recorder", campaign_id="w-1", theme="zzqtheme", **brand)
    place = {"venue_kind": "hall", "name": "zzqvenuename", **district}
    tell("outreach", "register_venue", "recorder", venue_id="w-2", **place)
    plan = {"format": "lecture", "delivery": "on_site", "lead_org_id": "o-1", "days": ["2011-03-01"], **district}
    tell("outreach", "create_activity", "recorder", activity_id="w-3", title="zzqactivitytitle", **plan)
    tell("outreach", "schedule_activity", "recorder", activity_id="w-3", venue_id="w-2", slots=["morning"])
    photo = {"evidence_kind": "photo", "taken_on": "2011-03-01", "place": "zzqplace", "note": "zzqevidencetext"}
    tell("outreach", "attach_evidence", "recorder", evidence_id="e" * 64, activity_id="w-3", **photo)
    trade = {"industry": "茶叶", "township_code": "511102001", "members_count": 30}
    tell("rural", "prepare_association", "recorder", association_id="w-4", name="茶叶协会", **trade)
    papers = {"filing_no": "zzqfilingno", "filed_on": "2011-03-01", "charter_doc": "zzqcharterdoc"}
    tell("rural", "file_association", "recorder", association_id="w-4", leader_person_id="zzqleader", **papers)
    point = {"name": "科普点", "village_code": "511102001001", "host_id": "w-4"}
    tell("rural", "plan_point", "recorder", point_id="w-5", **point)
    tell(
        "rural",
        "build_part",
        "recorder",
        point_id="w-5",
        part="officer",
        person_id="zzqofficer",
        phone="zzqofficerphone",
    )
    money = {"approved_fen": 100, "approved_on": "2011-03-01", "decision_doc_no": "6号", "issuer_level": "city"}
    tell(
        "rural",
        "approve_grant",
        "chair",
        grant_id="w-6",
        source_level="city",
        original_doc_no="zzqoriginaldoc",
        **money,
    )
    body = {"organisation_kind": "university", "institution_id": "i-1", "workers_count": 300, **district}
    tell("members", "create_organisation", "recorder", organisation_id="w-7", name="大学科协", **body)
    tell("members", "apply_organisation", "recorder", organisation_id="w-7")
    tell("members", "approve_organisation", "chair", organisation_id="w-7", approval_doc_no="7号")
    meeting = {"held_on": "2011-03-01", "called": 60, "attended": 50, "minutes_doc": "zzqminutes", "charter_doc": "8号"}
    tell("members", "hold_founding_meeting", "recorder", organisation_id="w-7", chair_person_id="zzqchair", **meeting)
