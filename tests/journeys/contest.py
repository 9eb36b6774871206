"""A youth contest of the city on the whole stack, step by step, from its call to its awards.

Everybody acts by RPC, in the first role that may; the gateway hears what happened and is asked over HTTP. The clock
stands where the step is: entries in March, judging in April, the list in May 2011.
"""

from datetime import datetime
from pathlib import Path

import eventlet
import pytest

from gateway.plans import plan_file
from services.chassis.amqp import connect
from services.chassis.problem import RefusedByRule
from services.chassis.relay import Publication, Publisher
from services.kernel.calendar import SHANGHAI
from tests.awards.test_entries import FORM, RULES, a_category
from tests.stack import until

SUBMISSION = datetime(2011, 3, 1, 8, tzinfo=SHANGHAI)
CLOSING = datetime(2011, 4, 1, 9, tzinfo=SHANGHAI)
JUDGING = datetime(2011, 4, 12, 9, tzinfo=SHANGHAI)
PUBLICATION = datetime(2011, 5, 3, 9, tzinfo=SHANGHAI)
LAST_MINUTE = datetime(2011, 5, 9, 23, 59, tzinfo=SHANGHAI)  # of day 7
DAY_8 = datetime(2011, 5, 10, tzinfo=SHANGHAI)
LATER = datetime(2011, 6, 1, 9, tzinfo=SHANGHAI)

QUOTAS = [{"grade": "first", "places": 1}, {"grade": "second", "places": 1}]
LIST = {
    "minute_no": "乐科协评〔2011〕3号纪要", "minute_sha256": "d" * 64, "starts_on": "2011-05-03",
    "url": "https://lskx.example/list", "office_line": "0833-2442121",
}  # fmt: skip
DECISION = "乐科协〔2011〕15号"
REVOCATION = {"document_no": "乐科协〔2011〕20号", "reason_code": "plagiarism", "reason": "抄袭他人作品"}
OBJECTOR = {"objector_name": "张三", "id_number": "511102197001010011", "unit": "市一中", "phone": "13990601234"}
OBJECTION = {**OBJECTOR, "grounds": "与我的作品雷同", "evidence_ids": ["c" * 64]}
PRIZES = """\
      - code: PRIZES
        title: {zh: 授予奖项, en: Prizes granted}
        unit: {zh: 项, en: prizes}
        rule: {of: awards.award, where: {state: granted}, measure: count, on: granted_on, by: [district, grade]}
"""
K1B = "      - code: K1b\n"


class Contest:
    """An edition with a first and a second prize, and two judges for each entry; ids begin with the edition's."""

    def __init__(self, gateway, edition_no, *, quotas=QUOTAS, min_scores=2, **changes):
        self.gateway, self.running = gateway, gateway.running
        self.id, self.notice_id, self.round_id = (f"{what}{edition_no}" for what in ("contest", "list", "round"))
        category = a_category(quotas=quotas, min_scores=min_scores)
        self.rules = {"edition_no": edition_no, "categories": [category], **RULES, **changes}
        self._roles = {
            name: told["roles"] for name, told in self.running.call("awards", "describe")["commands"].items()
        }

    def at(self, instant):
        self.running.clock.now = lambda: instant

    def settle(self):
        self.running.settle()

    def do(self, method, *, by=None, role=None, **arguments):
        role = role or self._roles[method][0]
        return self.running.call("awards", method, by=by or f"u-{role}", roles=[role], timeout=60, **arguments)

    def refused(self, method, **arguments):
        """The rule by which a command is refused."""
        with pytest.raises(RefusedByRule) as refusal:
            self.do(method, **arguments)
        return refusal.value.code

    def at_once(self, number, method, **arguments):
        """What becomes of a command that so many chairs give at once: its state, or the rule that refused it."""

        def outcome(chair):
            try:
                return self.do(method, by=f"u-chair-{chair}", role="chair", **arguments)["state"]
            except RefusedByRule as refused:
                return refused.code

        return sorted(eventlet.GreenPool().imap(outcome, range(number)))

    def tell(self, events):
        """Have awards say these once more, in this order."""
        with connect(self.running.settings, "tests.contest") as connection:
            Publisher(connection).publish([Publication.of(event) for event in events], 10.0)
        self.settle()

    # --- what is there ------------------------------------------------------------------------------------------------

    def entry(self, name):
        return f"{self.id}-{name}"

    def judge(self, name):
        return f"{self.id}-{name}"

    def award(self, line_no):
        return f"{self.notice_id}.{line_no}"

    def get(self, kind, id_):
        return self.running.call("awards", f"get_{kind}", id=id_)

    def listed(self, service, plural, **wanted):
        """Of this contest, by id."""
        page = self.running.call(service, f"list_{plural}", filter=wanted, limit=200)
        return {one["id"]: one for one in page["items"]}

    def states(self):
        """The edition's, and those of its entries by name."""
        entries = self.listed("awards", "entries", edition_id=self.id)
        return self.get("edition", self.id)["state"], {
            id_.removeprefix(f"{self.id}-"): one["state"] for id_, one in entries.items()
        }

    def lines(self):
        """Of the list, as the gateway tells it: name of the entry, grade, state, and the step that decided."""
        told = self.gateway.get(f"/api/v1/awards/notices/{self.notice_id}").body["lines"]
        return [
            (line["subject_id"].removeprefix(f"{self.id}-"), line["grade"], line["state"], line["decided_by"])
            for line in told
        ]

    def prizes(self):
        """How many prizes of this contest the gateway holds as granted."""
        held = self.gateway.get("/api/v1/kpis/PRIZES/records?limit=500").body["items"]
        return sum(one["id"].startswith(f"{self.notice_id}.") for one in held)

    # --- the call, and the entries ------------------------------------------------------------------------------------

    def open(self):
        self.at(SUBMISSION)
        of = {"programme_kind": "youth", "level": "city", "year": 2011, "host_org_id": "o-city"}
        self.do("create_edition", edition_id=self.id, **of, **self.rules)
        self.do("announce_edition", edition_id=self.id)
        self.do("open_edition", edition_id=self.id)

    def submit(self, name, **changes):
        return self.do("submit_entry", **self.like(name, **changes))

    def like(self, name, **changes):
        """An entry as it is submitted."""
        of = {"edition_id": self.id, "nominating_unit_id": "o-shizhong", "district": "511102"}
        return {"entry_id": self.entry(name), **of, **self.handed_in(name, **changes)}

    def handed_in(self, name, **changes):
        """By one pupil of a school of its own."""
        pupil = {"district": "511102", "stage": "primary", "minor": True, "consent_ref": "c-1"}
        usual = {
            "category_code": "innovation",
            "title": f"作品 {self.entry(name)}",
            "entrants": [{"person_ref": f"p-{self.entry(name)}", "unit_id": self.school(name), **pupil}],
            "attachments": [FORM],
            "originality_signed_on": "2011-02-28",
        }
        return {**usual, **changes}

    def school(self, name):
        return f"s-{self.entry(name)}"

    def check(self, *names):
        """No more entries are taken, and these are found eligible."""
        self.at(CLOSING)
        self.do("close_edition", edition_id=self.id, reason=None)
        for name in names:
            self.do("check_eligibility", entry_id=self.entry(name), eligible=True)

    def enter(self, *names, **changes):
        """From the call to the last entry that is found eligible."""
        self.open()
        for name in names:
            self.submit(name, **changes)
        self.check(*names)
        self.settle()

    # --- the round ----------------------------------------------------------------------------------------------------

    def appoint(self, *names):
        self.at(JUDGING)
        for name in names:
            self.do("register_judge", judge_id=self.judge(name), max_load=100)
            self.do("activate_judge", judge_id=self.judge(name))

    def propose(self, *names, per_entry=2):
        asked = {"judge_ids": [self.judge(name) for name in names], "per_entry": per_entry, "seed": 7}
        return self.do("propose_assignment", edition_id=self.id, round_no=1, **asked)

    def start(self, *names, **changes):
        """Every entry is given to as many of these judges as have to score it, and the round starts."""
        self.propose(*names, **changes)
        self.do("confirm_assignment", assignment_id=f"{self.id}.1")
        self.settle()
        self.do("start_round", round_id=self.round_id, edition_id=self.id, round_no=1)
        self.settle()

    def employ(self, judge, unit_id):
        """A judge works for this unit from now on."""
        self.do("affiliate_judge", judge_id=self.judge(judge), affiliations=[{"org_id": unit_id}])
        self.settle()

    def sheets(self, **wanted):
        """(name of the judge, name of the entry) -> sheet."""
        found = self.listed("awards", "score_sheets", edition_id=self.id, **wanted).values()
        begins = len(f"{self.id}-")
        return {(one["judge_id"][begins:], one["entry_id"][begins:]): one for one in found}

    def score(self, judge, sheet, points, comment=None):
        of = {"by": self.judge(judge), "role": "judge", "sheet_id": sheet["id"]}
        self.do("accept_sheet", **of)
        scores = [{"criterion_code": "innovation", "points": str(points)}]
        return self.do("submit_score", **of, scores=scores, comment=comment)

    def score_all(self, points):
        """Every sheet that was sent, by what `points` says of judge and entry."""
        for (judge, entry), sheet in self.sheets(state="sent").items():
            self.score(judge, sheet, points(judge, entry))

    def compute(self):
        return self.running.call("awards", "compute_results", by="u-chair", roles=["chair"], round_id=self.round_id)

    def close(self):
        self.do("close_round", round_id=self.round_id)
        self.settle()
        return self.get("round", self.round_id)

    def hold(self, table, *, judges=("luo", "tan"), **how):
        """A contest whose round is over: by `table`, what each judge gave each entry."""
        self.enter(*table, **how)
        self.appoint(*judges)
        self.start(*judges)
        self.score_all(lambda judge, entry: table[entry][judges.index(judge)])
        return self.close()

    # --- the list -----------------------------------------------------------------------------------------------------

    def publish(self, **changes):
        self.at(PUBLICATION)
        published = self.do("publish_list", notice_id=self.notice_id, edition_id=self.id, **{**LIST, **changes})
        self.settle()
        return published

    def object(self, line_no, **changes):
        told = {**OBJECTION, **changes}
        filed = self.do("file_objection", notice_id=self.notice_id, line_no=line_no, **told)
        self.settle()
        return filed

    def grant(self, **changes):
        self.at(max(DAY_8, self.running.clock.now()))
        granted = self.do("grant", notice_id=self.notice_id, **{"document_no": DECISION, **changes})
        self.settle()
        return granted

    def revoke(self, line_no, **changes):
        self.at(LATER)
        revoked = self.do("revoke_award", award_id=self.award(line_no), **{**REVOCATION, **changes})
        self.settle()
        return revoked


def count_prizes(gateway):
    """Let the gateway count awards, as a number of the plan."""
    plan = (Path(plan_file.__file__).parent / "2011.yaml").read_text(encoding="utf-8")
    assert plan.count(K1B) == 1
    body = {"file": plan.replace(K1B, PRIZES + K1B), "why": "how many prizes the city grants"}
    answered = gateway.post("/api/v1/plans", body, by="u-chair", roles=("chair",))
    assert answered.status == 200, answered.content
    until(lambda: gateway.get("/api/v1/kpis/PRIZES/records").status == 200)
