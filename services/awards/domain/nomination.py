"""Nominations (推荐上报): an entry that won goes on to the contest above, in a slot of the association's quota.

A slot may be drafted again and again until it is sealed; from then on slot and entry stay as they are (A-08).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime

from services.awards.domain import nomination_call
from services.awards.domain.entry import Entry
from services.awards.domain.external_result import ExternalResult
from services.awards.domain.nomination_call import NominationCall
from services.contract.awards import Level, Series
from services.kernel import Change, Lifecycle, Refusal
from services.kernel.calendar import day_of
from services.kernel.duty import separate

LIFECYCLE = Lifecycle(
    drafted=("withdrawn", "sealed"),
    sealed=("sent_up", "withdrawn"),
    sent_up=("accepted_above", "returned_above"),
    returned_above=("sent_up", "withdrawn"),
    accepted_above=("result_known",),
)
HOLDING = tuple(state for state in LIFECYCLE.states if state != "withdrawn")


class NotAWinner(Refusal, rule="A-08", zh="只有在下级评选中获奖的项目可以推荐"):
    """Only an entry that won at the contest below is nominated."""


class NotAProvincialWinner(Refusal, rule="A-08", zh="只有同年度省级获奖并经核实的项目可以推荐参加全国赛事"):
    """For a national contest only an entry is nominated that won at the provincial one of that year."""


class BeyondQuota(Refusal, rule="A-08", zh="超出推荐名额"):
    """There are no more slots than the contest above gave."""


class SlotTaken(Refusal, rule="A-08", zh="该推荐名额已被占用"):
    """A slot is for one entry."""


class NominatedTwice(Refusal, rule="A-08", zh="同一项目在同一赛事只能推荐一次"):
    """An entry takes one slot of a call."""


class SealedStays(Refusal, rule="A-08", zh="已封存的推荐名额不得更换，除非该项目的奖项已被撤销"):
    """A sealed slot stays with its entry as long as this is a winner."""


@dataclass(frozen=True, kw_only=True)
class Nomination:
    """An entry in its slot, and the answer of the contest above."""

    call_id: str
    entry_id: str
    from_edition_id: str
    to_series: Series
    to_level: Level
    to_edition_no: int
    year: int
    slot_no: int
    district: str | None
    nominated_by: str
    sealed_at: datetime | None = None
    sealed_by: str | None = None
    sent_on: date | None = None
    result_id: str | None = None
    state: str = "drafted"

    @property
    def sealed_on(self) -> date | None:
        """The day on which it was sealed, or None."""
        return self.sealed_at and day_of(self.sealed_at)

    def fits(self, result: ExternalResult) -> bool:
        """True for a verified prize of the entry at the contest that it was nominated for."""
        contest = (result.entry_id, result.series, result.level, result.edition_no)
        return result.state == "verified" and contest == (
            self.entry_id, self.to_series, self.to_level, self.to_edition_no
        )  # fmt: skip


def nominate(
    entry: Entry,
    call: NominationCall,
    *,
    entry_id: str,
    call_id: str,
    slot_no: int,
    won: Iterable[ExternalResult],
    by: str,
) -> Change[Nomination]:
    """Nominate an entry in a slot; `won` are the prizes of this entry elsewhere."""
    nomination_call.LIFECYCLE.require(call.state, "open")
    _require_winner(entry, call.from_edition_id)
    if call.to_level == "national" and not any(_is_provincial_prize(prize, call) for prize in won):
        raise NotAProvincialWinner(entry_id=entry_id, year=call.year)
    if not 1 <= slot_no <= call.places:
        raise BeyondQuota(slot_no=slot_no, places=call.places)

    nomination = Nomination(
        call_id=call_id,
        entry_id=entry_id,
        from_edition_id=call.from_edition_id,
        to_series=call.to_series,
        to_level=call.to_level,
        to_edition_no=call.to_edition_no,
        year=call.year,
        slot_no=slot_no,
        district=entry.district,
        nominated_by=by,
    )
    return Change(nomination, "drafted")


def withdraw(nomination: Nomination, entry: Entry, *, reason: str) -> Change[Nomination]:
    """Leave the slot to another entry; a sealed one only if its entry lost its prize since."""
    state = LIFECYCLE.move(nomination.state, "withdrawn")
    if nomination.sealed_at is not None and entry.state == "awarded":
        raise SealedStays(slot_no=nomination.slot_no)

    return Change(replace(nomination, state=state), "withdrawn", reason)


def seal(nomination: Nomination, entry: Entry, *, at: datetime, by: str) -> Change[Nomination]:
    """Seal slot and entry; their drafter does not decide that (X-05)."""
    state = LIFECYCLE.move(nomination.state, "sealed")
    separate(entered_by=nomination.nominated_by, by=by)
    _require_winner(entry, nomination.from_edition_id)

    return Change(replace(nomination, state=state, sealed_at=at, sealed_by=by), "sealed")


def send_up(nomination: Nomination, entry: Entry, *, today: date) -> Change[Nomination]:
    """Hand it in above, for the first time or corrected after a return."""
    state = LIFECYCLE.move(nomination.state, "sent_up")
    _require_winner(entry, nomination.from_edition_id)

    return Change(replace(nomination, state=state, sent_on=today), "sent_up")


def accept_above(nomination: Nomination) -> Change[Nomination]:
    """Note that the contest above accepts it."""
    return Change(replace(nomination, state=LIFECYCLE.move(nomination.state, "accepted_above")), "accepted_above")


def return_above(nomination: Nomination, *, reason: str) -> Change[Nomination]:
    """Note that the contest above wants it corrected."""
    state = LIFECYCLE.move(nomination.state, "returned_above")
    return Change(replace(nomination, state=state), "returned_above", reason)


def conclude(nomination: Nomination) -> Change[Nomination]:
    """Note that the contest above is over, and it won nothing."""
    return Change(replace(nomination, state=LIFECYCLE.move(nomination.state, "result_known")), "result_known")


def heed(nomination: Nomination, results: Iterable[tuple[str, ExternalResult]]) -> Change[Nomination] | None:
    """Name the result once a prize of it stands; of several the first by id."""
    if nomination.state != "accepted_above":
        return None
    fitting = sorted(result_id for result_id, result in results if nomination.fits(result))
    if not fitting:
        return None
    return Change(replace(nomination, state="result_known", result_id=fitting[0]), "result_known")


def _require_winner(entry: Entry, from_edition_id: str) -> None:
    if entry.state != "awarded" or entry.edition_id != from_edition_id:
        raise NotAWinner(edition_id=entry.edition_id, state=entry.state)


def _is_provincial_prize(prize: ExternalResult, call: NominationCall) -> bool:
    return (
        prize.state == "verified"
        and prize.level == "province"
        and prize.series == call.to_series
        and prize.awarded_on.year == call.year
    )
