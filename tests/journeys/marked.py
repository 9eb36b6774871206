"""A contest full of marks, held over HTTP: every text that says something about somebody begins with `zzq`."""

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
        role = role or self._roles[method][0]
        path = f"/api/v1/awards/{method}"
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
    contest.settle()


def enter(contest):
    contest.open()
    pupil = {"person_ref": "p-a", "unit_id": contest.school("a"), "minor": True, "consent_ref": "zzqconsent"}
    pupil |= {"district": "511102", "stage": "primary"}
    contest.submit("a", title="zzqtitle", entrants=[pupil], tutor_refs=["zzqtutor"], exhibition_consent=True)
    for name in "bcdef":
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
