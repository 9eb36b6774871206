"""2011 in Leshan: some hundred activities around the real campaigns, contests, associations, points and money.

A list of commands from a fixed seed, without names of persons, but with the failures of a year: counts that are
corrected, rejected or replaced, a prize that is revoked, commands that are refused or sent twice.
"""

from __future__ import annotations

from random import Random

from deploy.demo.activities import Bookings, activities, campaigns, closing, venues
from deploy.demo.countryside import associations, grants, points
from deploy.demo.coverage import coverage
from deploy.demo.evaluations import evaluations
from deploy.demo.media import channels, media
from deploy.demo.organisations import organisations
from deploy.demo.provincial_prizes import results
from deploy.demo.resources import library, loans
from deploy.demo.story import Story
from deploy.demo.visits import experts
from deploy.demo.youth import youth

SEED = 2011


def stories(seed: int = SEED) -> tuple[list[Story], ...]:
    """Return the parts of the year in their order; the stories of a part can be played side by side."""
    random = Random(seed)
    return (
        [venues(), campaigns(), channels(), library(), experts()],
        [
            youth(),
            *evaluations(),
            *activities(random, Bookings()),
            *media(),
            *loans(),
            *coverage(),
            *results(),
            *associations(random),
            *points(random),
            *grants(),
            *organisations(),
        ],
        [closing()],
    )
