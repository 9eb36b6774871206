"""A jury on a real broker and database: entries that are there already, judges, and the chair who gives them out."""

from dataclasses import replace
from datetime import datetime

import pytest

from services import contract
from services.awards.service import Awards
from services.chassis.document import Cause, entry, event, first_version, state_of
from services.chassis.problem import RefusedByRule
from services.chassis.tokens import Actor
from services.contract import KINDS
from services.kernel import Change
from services.kernel.calendar import SHANGHAI
from tests.awards.examples import a_category, a_material, a_submission, an_edition, an_entrant, some_rules
from tests.stack import until

JUDGING = datetime(2011, 4, 12, 9, tzinfo=SHANGHAI)
EDITION = "d-1"


class Jury:
    """Of one edition whose entries were found eligible, by a clock that stands in April 2011."""

    def __init__(self, running, *, entries=("n-1", "n-2"), blind=True, min_scores=2, **changes):
        self.running = running.start(Awards)
        self.running.clock.now = lambda: JUDGING
        category = a_category(blind=blind, min_scores=min_scores)
        rules = some_rules(categories=(category,), **changes)
        self.keep(contract.awards.Edition.kind, {EDITION: an_edition(state="eligibility", rules=rules)}, "closed")
        if entries:
            self.keep(contract.awards.Entry.kind, {one: an_eligible_entry(one) for one in entries}, "decided")

    def keep(self, kind, records, happened):
        """Records as if they had been made long ago."""
        cause = Cause(because="long-ago", actor=Actor("u-then"), at=JUDGING)
        documents = []
        for id_, record in records.items():
            first = entry(kind, Change(record, happened), cause, version=1, after="")
            made = first_version(id_, state_of(kind, record), first, traceparent=None)
            documents.append({**{name: one for name, one in made.items() if name != "pending"}, "published": 1})
        self.running.database("awards")[kind.name].insert_many(documents)

    def enter(self, *entry_ids):
        """Entries that nobody decided about yet."""
        self.keep(
            contract.awards.Entry.kind,
            {one: replace(an_eligible_entry(one), state="submitted") for one in entry_ids},
            "submitted",
        )

    def do(self, method, *, by="u-chair", role="chair", **arguments):
        return self.running.call("awards", method, by=by, roles=[role], timeout=60, **arguments)

    def as_judge(self, judge_id, method, **arguments):
        return self.do(method, by=judge_id, role="judge", **arguments)

    def refused(self, method, **arguments):
        """The rule by which a command is refused."""
        with pytest.raises(RefusedByRule) as refusal:
            self.do(method, **arguments)
        return refusal.value.code

    def judges(self, *judge_ids, **changes):
        for judge_id in judge_ids:
            self.do("register_judge", **{"judge_id": judge_id, "max_load": 100, **changes})
            self.do("activate_judge", judge_id=judge_id)
        return list(judge_ids)

    def propose(self, *judge_ids, **changes):
        usual = {"edition_id": EDITION, "round_no": 1, "judge_ids": list(judge_ids), "per_entry": 2, "seed": 7}
        return self.do("propose_assignment", **{**usual, **changes})

    def confirm(self, **changes):
        """The chair lets the proposal hold, and its sheets are there."""
        self.do("confirm_assignment", assignment_id=f"{EDITION}.1", **changes)
        self.running.settle()

    def seat(self, *judge_ids, **changes):
        """Judges who were told, in a round that is open."""
        self.judges(*judge_ids)
        self.propose(*judge_ids, **changes)
        self.confirm()
        self.open_round()

    def open_round(self):
        """The first round, whose entries are in review from then on."""
        self.do("start_round", round_id=f"{EDITION}.r1", edition_id=EDITION, round_no=1)
        self.running.settle()

    def close_round(self):
        """It takes no more scores, whatever has been scored so far."""
        rounds = self.running.database("awards")["round"]
        rounds.update_one({"_id": f"{EDITION}.r1"}, {"$set": {"state.state": "closing"}})

    def hear_again(self, kind, id_):
        """The newest event of a record comes once more."""
        of = KINDS[f"awards.{kind}"]
        held = self.running.database("awards")[kind].find_one({"_id": id_})
        self.running.publish(event(of, id_, held["history"][-1]))
        self.running.settle()

    def held(self, kind, **wanted):
        """(id, state as it is kept) of the records of a kind that are like this."""
        found = self.running.database("awards")[kind].find({f"state.{name}": one for name, one in wanted.items()})
        return [(one["_id"], one["state"]) for one in found]

    def sheet(self, judge_id, entry_id="n-1"):
        ((sheet_id, _),) = self.held("score_sheet", judge_id=judge_id, entry_id=entry_id)
        return sheet_id

    def state(self, judge_id, entry_id="n-1"):
        ((_, state),) = self.held("score_sheet", judge_id=judge_id, entry_id=entry_id)
        return state

    def accept(self, judge_id, entry_id="n-1"):
        return self.as_judge(judge_id, "accept_sheet", sheet_id=self.sheet(judge_id, entry_id))

    def score(self, judge_id, entry_id="n-1", points="80", **changes):
        given = {"sheet_id": self.sheet(judge_id, entry_id), "scores": scores(points)}
        return self.as_judge(judge_id, "submit_score", **{**given, **changes})

    def refused_score(self, judge_id, entry_id="n-1", points="80"):
        """The rule by which a score is refused."""
        given = {"sheet_id": self.sheet(judge_id, entry_id), "scores": scores(points)}
        return self.refused("submit_score", by=judge_id, role="judge", **given)

    def lock(self, judge_id, entry_id="n-1"):
        return self.as_judge(judge_id, "lock_sheet", sheet_id=self.sheet(judge_id, entry_id))

    def finish(self, judge_id, entry_id="n-1", points="80"):
        """Accepted, scored and locked."""
        self.accept(judge_id, entry_id)
        self.score(judge_id, entry_id, points)
        return self.lock(judge_id, entry_id)

    def until_state(self, judge_id, entry_id="n-1", **wanted):
        return until(lambda: wanted.items() <= self.state(judge_id, entry_id).items())


def scores(points):
    return [{"criterion_code": "innovation", "points": points}]


def an_eligible_entry(entry_id, *, unit_id=None, **changes):
    """By one pupil of a school of its own, with a tutor of its own."""
    material = a_material(
        title=f"作品{entry_id}",
        entrants=(an_entrant(f"p-{entry_id}", unit_id=unit_id or f"s-{entry_id}"),),
        tutor_refs=(f"p-tutor-{entry_id}",),
        **changes,
    )
    submitted = a_submission(material=material, edition_id=EDITION, blind_code=f"CODE{entry_id}").record
    keys = (f"w-{entry_id}",)
    return replace(submitted, work_keys=keys, student_refs=keys, state="eligible")
