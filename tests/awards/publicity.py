"""Named examples of award lists and objections; what a test does not say stands here."""

from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal

from services.awards.domain import notice, objection
from services.awards.domain.list_line import Results
from services.awards.domain.objection import Objector
from services.awards.domain.ranking import Place
from services.contract.awards import NoticeLine, Quota
from services.kernel.calendar import SHANGHAI
from tests.awards.examples import a_category, an_edition, some_rules

STARTS_ON = date(2011, 5, 3)
LAST_MOMENT = datetime(2011, 5, 9, 23, 59, 59, 999_000, tzinfo=SHANGHAI)  # of day 7
OVER = datetime(2011, 5, 10, tzinfo=SHANGHAI)  # day 8, 00:00
WITHIN = datetime(2011, 5, 5, 10, tzinfo=SHANGHAI)
DOCUMENT = "乐科协〔2011〕15号"
MINUTE = "乐科协评〔2011〕3号纪要"


def a_place(rank, entry_id=None, **changes):
    usual = {"entry_id": entry_id or f"n-{rank}", "adjusted": Decimal(100 - rank), "decided_by": "adjusted_mean"}
    return Place(rank=rank, **{**usual, **changes})


def of_places(*places):
    """The results of innovation projects, all of which were judged from the start."""
    return Results(inputs_hash="0" * 64, places={"innovation": places}, judged={"innovation": len(places)})


def results(number=10):
    """Entries n-1, n-2, ... in this order."""
    return of_places(*map(a_place, range(1, number + 1)))


QUOTAS = (Quota(grade="first", places=1), Quota(grade="second", places=2))


def deliberated(*, quotas=QUOTAS, **changes):
    """An edition whose rounds are over, with a first and two second prizes."""
    return an_edition(state="deliberation", rules=some_rules(categories=(a_category(quotas=quotas),), **changes))


def published(edition=None, found=None, *, entry_states=None, today=STARTS_ON, **changes):
    """The change that publishing a list answers."""
    found = found or results()
    ranked = [place.entry_id for places in found.places.values() for place in places]
    usual = {
        "edition_id": "e-1",
        "entry_states": dict.fromkeys(ranked, "proposed") if entry_states is None else entry_states,
        "minute_no": MINUTE,
        "minute_sha256": "d" * 64,
        "starts_on": STARTS_ON,
        "url": "https://lskx.example/list",
        "office_line": "0833-2442121",
        "today": today,
        "by": "u-chair",
    }
    return notice.publish(edition or deliberated(), lambda: found, **{**usual, **changes})


def a_line(line_no=1, *, state="proposed", **changes):
    """A first prize of the entry that is called like the line."""
    usual = {
        "award_kind": "graded", "grade": "first", "subject_type": "entry", "subject_id": f"n-{line_no}",
        "category_code": "innovation", "rank": line_no, "decided_by": "adjusted_mean", "departs": False,
    }  # fmt: skip
    given = {**usual, **changes}
    entry_id = given["subject_id"] if given["subject_type"] == "entry" else None
    return NoticeLine(line_no=line_no, entry_id=entry_id, state=state, **given)


def a_notice(*lines, state="published"):
    """On display from 3 to 9 May."""
    return replace(published().record, lines=lines or (a_line(1), a_line(2)), state=state)


ZHANG = Objector(
    objector_name="张三", id_number="511102197001010011", unit="市一中", phone="13990601234", grounds="与我的作品雷同"
)


def filed(held=None, *, objector=ZHANG, evidence_ids=("c" * 64,), at=WITHIN, line_no=1):
    """The change that filing an objection answers."""
    return objection.file(
        held or a_notice(), notice_id="t-1", line_no=line_no, objector=objector, evidence_ids=evidence_ids,
        sealed="sealed", at=at, by="u-li",
    )  # fmt: skip


def an_objection(*, state="filed", **changes):
    """In any of its states, handled by u-wang."""
    handled = {} if state in ("filed", "accepted", "rejected_formal") else {"handler_id": "u-wang"}
    return replace(filed().record, state=state, **{**handled, **changes})
