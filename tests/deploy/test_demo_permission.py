"""The demo year is written in a rehearsal only, into an empty register or one in which it was begun before."""

import re
from dataclasses import replace

import pytest

from deploy.demo.permission import ask, refusal
from deploy.demo.year import stories
from services.awards.service import Awards
from services.contract.topology import SERVICES
from services.members.service import Members
from services.outreach.service import Outreach
from services.rural.service import Rural

REHEARSAL = {service: {"rehearsal": True} for service in SERVICES}
FIRST = stories()[0][0]


@pytest.mark.parametrize(
    ("conditions", "kinds", "has_begun", "says"),
    [
        (REHEARSAL | {"rural": {"rehearsal": False}}, [], False, "rural would refuse.*REHEARSAL=yes"),
        (REHEARSAL | {"rural": {}}, [], False, "rural would refuse"),  # of the version before
        (REHEARSAL | {"rural": None}, [], False, "rural did not answer.*./kexie status"),
        (REHEARSAL, ["awards.entry"], False, "records already .awards.entry."),
        (REHEARSAL | {"awards": {"rehearsal": False}}, ["awards.entry"], True, "awards would refuse"),
    ],
)
def test_it_is_refused_with_the_next_step_and_nothing_is_written(conditions, kinds, has_begun, says):
    refused = refusal(conditions, kinds=kinds, has_begun=has_begun)

    assert re.search(f"{says}.*Nothing was written", refused)


@pytest.mark.parametrize(("kinds", "has_begun"), [([], False), (["outreach.venue"], True)])
def test_it_begins_in_an_empty_register_and_goes_on_in_its_own(kinds, has_begun):
    assert refusal(REHEARSAL, kinds=kinds, has_begun=has_begun) is None


def test_services_are_asked_before_anything_is_sent(running):
    running.settings = replace(running.settings, rehearsal=True)
    running.start(Awards, Outreach, Rural, Members)
    key = running.settings.token_private_key
    assert ask(running.caller, key, FIRST) is None

    organisation = {"organisation_kind": "university", "institution_id": "lsnu", "district": "511102"}
    running.call("members", "create_organisation", name="某大学科协", workers_count=900, **organisation)
    assert "records already (members.organisation)" in ask(running.caller, key, FIRST)

    step = FIRST.steps[0]
    running.call(step.service, step.command, by=step.by, **step.arguments)
    assert ask(running.caller, key, FIRST) is None
