"""The office that nominates winners, recommends people and keeps topics; what a test does not say stands here."""

from datetime import date

from services.awards.domain import nomination_call
from services.awards.domain.nomination import Nomination
from tests.awards.examples import A_PRIZE, an_edition
from tests.awards.test_entries import Office

A_CALL = {
    "from_edition_id": "e-1",
    "to_series": "youth_contest",
    "to_level": "province",
    "to_edition_no": 26,
    "year": 2011,
    "places": 3,
    "document_no": "川科协〔2011〕5号",
}
KINDS = ("entry", "nomination", "external_result", "talent", "topic")
RECORDED = (
    "nominate", "send", "accept", "return", "report", "recommend", "register", "start", "complete", "enter",
)  # fmt: skip
VERIFIED = ("verify_external_result", "verify_recommendation", "conclude_nomination", "accept_topic")
A_TOPIC = {
    "enterprise_org_id": "o-tea",
    "title": "蒸青工艺节能改造",
    "participant_ids": ["p-1", "p-2"],
    "year": 2011,
    "registered_on": "2011-02-20",
    "district": "511102",
}
A_PROPOSAL = {
    "candidate_id": "p-luo",
    "target_kind": "talent_plan",
    "target_level": "province",
    "target_title": "天府科技英才",
    "proposer_org_ids": ["o-society"],
    "worker_document_sha256": "c" * 64,
    "misconduct_checked_on": "2011-02-28",
}


def a_call(edition=None, *, state="open", **changes):
    """The province's 26th youth contest takes three of the city's 10th."""
    opened = nomination_call.open(edition or an_edition(state="granted"), **{**A_CALL, **changes})
    return opened.record if state == "open" else nomination_call.close(opened.record, reason="名额有误").record


def a_nomination(*, state="drafted", **changes):
    """Of n-1, drafted by u-li in slot 1."""
    usual = {
        "call_id": "c-1",
        "entry_id": "n-1",
        "from_edition_id": "e-1",
        "to_series": "youth_contest",
        "to_level": "province",
        "to_edition_no": 26,
        "year": 2011,
        "slot_no": 1,
        "district": "511102",
        "nominated_by": "u-li",
    }
    return Nomination(state=state, **{**usual, **changes})


class Upward(Office):
    """As the office, with what goes up from it."""

    def do(self, method, **arguments):
        verb, _, kind = method.partition("_")
        if method in VERIFIED:
            return self._call(method, "u-wang", "verifier", arguments)
        if method == "submit_recommendation_up":
            return self._call(method, "u-chair", "chair", arguments)
        if verb in RECORDED and kind in KINDS and method != "return_entry":
            return self._call(method, "u-li", "recorder", arguments)
        return super().do(method, **arguments)

    def _call(self, method, by, role, arguments):
        return self.running.call("awards", method, by=arguments.pop("by", by), roles=[role], **arguments)

    def win(self, *entry_ids, edition_id="e-1"):
        """Entries of the edition that were awarded, whatever way led there."""
        for entry_id in entry_ids:
            self.submit(entry_id, edition_id=edition_id)
            self.become(entry_id, "awarded")

    def become(self, entry_id, state):
        found = self.running.database("awards")["entry"]
        found.update_one({"_id": entry_id}, {"$set": {"state.state": state}})

    def call_for(self, call_id="c-1", **changes):
        return self.do("open_nomination_call", **{"call_id": call_id, **A_CALL, **changes})

    def nominate(self, nomination_id, entry_id, slot_no, call_id="c-1"):
        return self.do(
            "nominate_entry", nomination_id=nomination_id, call_id=call_id, entry_id=entry_id, slot_no=slot_no
        )

    def go_up(self, nomination_id, *steps):
        """Through these commands, one after the other; the record as it is then."""
        for step in steps:
            said = {"reason": "材料不全"} if step == "return" else {}
            told = self.do(f"{step}_nomination", nomination_id=nomination_id, **said)
        return told

    def report(self, result_id, **changes):
        prize = {**A_PRIZE, "awarded_on": date(2011, 2, 27).isoformat(), **changes}
        return self.do("report_external_result", result_id=result_id, **prize)

    def recommend(self, recommendation_id="y-1", **changes):
        return self.do("recommend_talent", recommendation_id=recommendation_id, **{**A_PROPOSAL, **changes})

    def register_topic(self, topic_id="t-1", **changes):
        return self.do("register_topic", topic_id=topic_id, **{**A_TOPIC, **changes})

    def get(self, kind, id_):
        return self.running.call("awards", f"get_{kind}", id=id_)

    def counted(self, rule):
        """Of the year 2011."""
        return self.running.call("awards", "tally", rule=rule, first="2011-01-01", last="2011-12-31")["value"]
