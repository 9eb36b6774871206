"""Refusals: a class per rule, said in two languages, with the things involved."""

import pytest

from services.kernel import REFUSALS, Refusal
from services.kernel.refusal import REFUSALS as KNOWN


@pytest.fixture
def door_closed():
    class DoorClosed(Refusal, rule="T-01", zh="门已关"):
        """The door is closed."""

    yield DoorClosed
    KNOWN.remove(DoorClosed)


def test_a_refusal_names_its_rule_and_the_things_involved(door_closed):
    refusal = door_closed(door="north", since=18)

    assert str(refusal) == "T-01: The door is closed. (door=north, since=18)"
    assert (refusal.rule, refusal.en, refusal.zh) == ("T-01", "The door is closed.", "门已关")
    assert refusal.involved == {"door": "north", "since": 18}
    assert str(door_closed()) == "T-01: The door is closed."


def test_every_refusal_is_known(door_closed):
    assert door_closed in REFUSALS


def test_a_refusal_without_a_rule_cannot_be_declared():
    with pytest.raises(TypeError):
        type("Unruly", (Refusal,), {})
