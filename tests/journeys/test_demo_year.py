"""The demo year through the real commands: its numbers are what anybody with its list of commands works out."""

import random
from itertools import pairwise

import pytest
from deploy.demo.giving import Giver
from deploy.demo.year import stories

from gateway.service import Gateway
from gateway.store import Store
from services.awards.service import Awards
from services.chassis.document import event
from services.chassis.mongo import database
from services.contract import KINDS
from services.members.service import Members
from services.outreach.service import Outreach
from services.rural.service import Rural
from tests.journeys.arithmetic import six_numbers

SIX = ("K1", "K2", "K3", "K4", "K5", "K6")


@pytest.fixture
def year(running):
    """The services with the year in them, the giver that told it, and its stories."""
    running.start(Awards, Outreach, Rural, Members, Gateway)
    giver, (first, then) = Giver(running.caller, running.settings.token_private_key), stories()
    for part in (first, then):
        giver.give_all(part, told=lambda: None)
    running.settle(60)
    return running, giver, first + then


@pytest.mark.timeout(240)
def test_the_six_numbers_are_those_of_the_list_of_commands_of_each_tally_and_of_the_records(year):
    running, _, told = year
    by_hand = six_numbers(told)

    assert {code: kpi(running, code)["value"] for code in SIX} == by_hand
    assert {code: tally(running, code) for code in SIX} == by_hand
    assert {code: sum(one["amount"] for one in records(running, code)) for code in SIX} == by_hand
    assert by_hand["K2"] > 200_000
    for code in SIX:
        answer = kpi(running, code, by="district")
        groups = [group["value"] or 0 for group in answer["groups"]]
        assert sum(groups) + (answer["unassigned"]["value"] or 0) == answer["value"]
