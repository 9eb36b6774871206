"""The demo year through the real commands: its numbers are what anybody with its list of commands works out."""

import random
from collections import Counter

import pytest

from deploy.demo.player import Player
from deploy.demo.year import stories
from gateway.plans import plan_file
from gateway.read_model.store import Store
from gateway.reporting.plan_history import PLANS
from gateway.service import Gateway
from services.awards.service import Awards
from services.chassis.document import event
from services.contract import KINDS
from services.members.service import Members
from services.outreach.service import Outreach
from services.rural.service import Rural
from tests.gateway.conftest import Http
from tests.journeys.arithmetic import six_numbers
from tests.journeys.contests import prizes
from tests.stack import Running, an_empty_world, leave

SIX = ("K1", "K2", "K3", "K4", "K5", "K6")
FILE = PLANS / "2011.yaml"
RULES = {kpi.code: kpi.rule for _, kpi in plan_file.read(FILE.name, FILE.read_bytes()).kpis()}


@pytest.fixture(scope="module")
def year(addresses, keys):
    """All services with the year in them, and its stories; what is told of it is only read."""
    settings, parts = an_empty_world(addresses, keys, http_port=0, rehearsal=True), stories()
    with Running(settings) as running:
        running.start(Awards, Outreach, Rural, Members, Gateway)
        tell(running, parts)
        yield Year(running, [story for part in parts for story in part])
    leave(settings)


def tell(running, parts):
    player = Player(running.caller, running.settings.token_private_key)
    for part in parts:
        player.play(part, after_each=lambda: None)
    running.settle(60)


class Year:
    def __init__(self, running, told):
        self.running, self.told, self.http = running, told, Http(running)

    def held(self, service, kind):
        """Every record of a kind, as its service keeps it."""
        return list(self.running.database(service)[kind].find())

    def kpi(self, code, by=None):
        return self.http.get(f"/api/v1/kpis/{code}{f'?by={by}' if by else ''}").body

    def values(self):
        return {code: self.kpi(code)["value"] for code in SIX}

    def tally(self, code):
        """The owning service's own count, which knows nothing of the gateway's."""
        rule = RULES[code]
        arguments = {"rule": rule.say(), "first": "2011-01-01", "last": "2011-12-31"}
        return self.running.call(rule.of.service, "tally", roles=["viewer"], **arguments)

    def records(self, code):
        """All of them, page by page."""
        cursor = ""
        while cursor is not None:
            page = self.http.get(f"/api/v1/kpis/{code}/records?limit=50{f'&cursor={cursor}' if cursor else ''}").body
            yield from page["items"]
            cursor = page["cursor"]

    def log(self):
        """Every event that the services ever said."""
        for kind in KINDS.values():
            for held in self.running.database(kind.service)[kind.name].find():
                yield from (event(kind, held["_id"], entry) for entry in held["history"])


@pytest.mark.timeout(300)
def test_the_six_numbers_are_those_of_the_commands_of_each_tally_and_of_the_records(year):
    by_hand = six_numbers(year.told)

    assert year.values() == by_hand
    assert {code: year.tally(code)["value"] for code in SIX} == by_hand
    assert {code: sum(one["amount"] for one in year.records(code)) for code in SIX} == by_hand
    for code in SIX:
        answer, tally = year.kpi(code, by="district"), year.tally(code)["by"]["district"]
        groups = {group["key"]: group["value"] for group in answer["groups"] if group["value"]}
        assert groups | {"": answer["unassigned"]["value"] or 0} == {"": 0} | {
            name: group["value"] for name, group in tally.items() if group["value"]
        }


@pytest.mark.timeout(300)
def test_who_wins_in_the_contests_is_who_the_scores_and_the_committee_say(year):
    by_hand = prizes(year.told)

    assert {one["_id"]: as_told(one["state"]) for one in year.held("awards", "award")} == by_hand
    assert Counter(kind if grade == "none" else grade for _, kind, grade, *_ in by_hand.values()) == {
        "first": 6, "second": 8, "third": 12, "organisation": 1, "tutor": 1, "commendation": 9,
    }  # fmt: skip
    assert Counter(one["state"]["state"] for one in year.held("awards", "edition")) == {"granted": 1, "archived": 5}
    assert Counter(one["state"]["state"] for one in year.held("awards", "nomination")) == {
        "result_known": 8, "withdrawn": 1,
    }  # fmt: skip
    assert sum(one["state"]["result_id"] is not None for one in year.held("awards", "nomination")) == 6
    assert Counter(one["state"]["state"] for one in year.held("awards", "objection")) == {
        "closed": 2, "rejected_formal": 1,
    }  # fmt: skip
    assert Counter(one["state"]["state"] for one in year.held("awards", "topic")) == {
        "entered": 4, "accepted": 1, "in_progress": 1, "abandoned": 1,
    }  # fmt: skip
    assert Counter(one["state"]["state"] for one in year.held("awards", "recommendation")) == {
        "selected": 1, "not_selected": 1, "withdrawn": 1,
    }  # fmt: skip


def as_told(award):
    return (award["subject_id"], award["award_kind"], award["grade"], award["state"], award["issued_on"] is not None)


@pytest.mark.timeout(300)
def test_the_contests_go_on_on_the_days_of_their_year(year):
    late = [
        (kind, one["_id"], version["happened"], version["at"])
        for kind in ("edition", "entry", "round", "score_sheet", "notice", "objection", "award", "nomination", "topic")
        for one in year.held("awards", kind)
        for version in one["history"]
        if version["at"] > "2012" and version["happened"] != "result_known"
    ]

    assert late == []
    for told in year.held("awards", "edition"):
        instants = [version["at"] for version in told["history"]]
        assert instants == sorted(instants)


@pytest.mark.timeout(300)
def test_telling_the_year_again_changes_nothing(year):
    before = year.values(), sum(1 for _ in year.log())

    tell(year.running, stories())

    assert (year.values(), sum(1 for _ in year.log())) == before


@pytest.mark.timeout(300)
def test_the_whole_log_delivered_one_to_five_times_in_any_order_gives_the_same_digest(year):
    log = list(year.log())
    store = Store(year.running.database("gateway"))
    told = digest(store)

    for seed in range(3):
        other = Store(year.running.database(f"gateway-{seed}"))
        other.prepare(RULES_OF_THE_PLAN)
        for batch in shuffled(log, random.Random(seed)):
            other.take_events(batch)

        assert digest(other) == told


RULES_OF_THE_PLAN = list(plan_file.read(FILE.name, FILE.read_bytes()).rules())


def shuffled(log, chance):
    """Each event one to five times, in any order, in batches of any size."""
    copies = [event for event in log for _ in range(chance.randint(1, 5))]
    chance.shuffle(copies)
    while copies:
        size = chance.randint(1, 500)
        yield copies[:size]
        del copies[:size]


def digest(store):
    """Views, history and counts, without how many batches brought them."""
    counts = {document.pop("_id"): cells(document) for document in store.counts.find({"_id": {"$ne": "ledger"}})}
    views = {view["_id"]: view for view in store.views.find()}
    rows = {(row["_id"]["record"], row["_id"]["version"]): row for row in store.history.find()}
    return views, rows, counts


def cells(node):
    """A document of counts without the zeros that moved records leave behind."""
    inner = {name: cells(value) if isinstance(value, dict) else value for name, value in node.items()}
    return {name: value for name, value in inner.items() if value}


def test_the_list_of_commands_is_a_year_worth_telling():
    steps = [step for part in stories() for story in part for step in story.steps]

    assert [step.command_id for step in steps] == [
        step.command_id for part in stories() for story in part for step in story.steps
    ]
    assert sum(step.command == "create_activity" for step in steps) > 200
    assert {"O-03", "O-06", "O-11", "O-16", "A-26", "R-01", "R-10", "R-17", "R-21", "M-07", "M-08", "X-12"} <= {
        step.expected for step in steps
    }
    assert {"A-01", "A-02", "A-08", "A-19", "A-21", "A-27", "A-28", "A-29", "A-34"} <= {step.expected for step in steps}
    assert {"recuse", "replace_judge", "resolve_tie", "return_entry", "decide_objection", "revoke_award"} <= {
        step.command for step in steps
    }
    assert {"correct_count", "revoke_external_result", "reject_count", "return_funds", "lapse_part"} <= {
        step.command for step in steps
    }
    assert len(steps) > len({step.command_id for step in steps})
