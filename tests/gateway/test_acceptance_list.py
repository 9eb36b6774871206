"""The acceptance list of the gateway: each of its points is shown by a test marked `acceptance`.

./kexie test -m acceptance
"""

import ast
from pathlib import Path

import tests
from tests.test_rules import codes_marked

POINTS = {
    1: "Each event delivered one to five times, shuffled: the same digest of all counts as once in order.",
    2: "The gateway killed at each step of a batch: nothing lost, nothing double.",
    3: "A malformed event makes the KPIs of its service incomplete and no others; mended and replayed, complete.",
    4: "2011-12-31T16:30:00Z counts in 2012; 15:59:59Z in 2011.",
    5: "No facts: every line present, state `none`; an explicit zero: `0`.",
    6: "The fold of the records of a random question is its number; groups and unassigned equal the total.",
    7: "A prize of June revoked in November: as of October 60, now 59, June is restated, the reason is shown.",
    8: "2011S1 closed, then a late fact: edition 1 is unchanged byte for byte, edition 2 lists it.",
    9: "Target 0, target equal to baseline, exactly at target when less is better; 150 % is 150.",
    10: "An export of 50,001 records has 50,001 rows.",
    11: "A recount that differs by one names the record.",
    12: "A plan with a misspelt field is refused with its line number.",
}


def test_each_point_of_the_acceptance_list_has_a_test():
    shown = set()
    for path in Path(tests.__file__).parent.rglob("test_*.py"):
        shown |= {*codes_marked(ast.parse(path.read_text(encoding="utf-8")), "acceptance")}

    assert shown == set(POINTS)
