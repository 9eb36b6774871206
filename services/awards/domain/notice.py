"""Notices (公示): the award list of an edition on public display, and the grant of its prizes line by line.

A list follows from the results; where the committee departs from them, it says why (A-20). A line with an objection
waits, and the others go on (A-21). The objections know whether one is open, not the list, which has the outcome of its
lines: a list of a thousand prizes is not written anew for each letter that comes in.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime

from services.awards.domain import edition as editions
from services.awards.domain.award_list import Decision
from services.awards.domain.edition import Edition
from services.awards.domain.list_line import OtherAward, Results, draw_up
from services.contract.awards import EditionLevel, NoticeLine, ProgrammeKind
from services.kernel import Change, Lifecycle, Refusal
from services.kernel.calendar import day_of, publicity_ends, start_of
from services.kernel.day import past, upcoming

LIFECYCLE = Lifecycle(published=("granted", "withdrawn"), granted=("granted",))  # again: lines that were held
STANDING = ("published", "granted")
UNDECIDED = ("submitted", "returned", "eligible", "in_review", "shortlisted")
"""Entries that are still to be checked or judged."""

Subject = tuple[str, str]
"""The receiver of a prize: its type and id."""

EDITION_STATES = {"published": "publicity", "granted": "granted"}


class ListStands(Refusal, rule="A-20", zh="该届已有公示中或已授奖的获奖名单"):
    """An edition has one award list at a time."""


class ListWithoutMinute(Refusal, rule="A-20", zh="公示获奖名单须有评审委员会会议纪要"):
    """A list is published with the minute of the committee that confirmed it."""


class EntriesUndecided(Refusal, rule="A-20", zh="仍有申报项目未审查或未评完，不得公示名单"):
    """A list comes once every entry of the edition was checked and judged."""


class ListEmpty(Refusal, rule="A-20", zh="获奖名单不得为空"):
    """A list has a prize."""


class GrantedWithoutDocument(Refusal, rule="A-21", zh="授奖须有表彰决定文号"):
    """Prizes are granted by a decision with a document number."""


class GrantedEarly(Refusal, rule="A-21", zh="公示期未满，不得授奖"):
    """Prizes are granted after the publicity period, whose last day ends at midnight."""


class NothingToGrant(Refusal, rule="A-21", zh="没有可授予的奖项：均有未处理完的异议或已授奖"):
    """A grant gives prizes that nobody objects to and that were not granted before."""


@dataclass(frozen=True, kw_only=True)
class Notice:
    """A list with the fields that only its own service keeps: the committee's minute and its reasons."""

    edition_id: str
    programme_kind: ProgrammeKind
    level: EditionLevel
    edition_no: int
    year: int
    starts_at: datetime
    ends_at: datetime
    lines: tuple[NoticeLine, ...]
    decisions: tuple[Decision, ...]  # where the committee departs from the results
    inputs_hash: str
    minute_no: str
    minute_sha256: str
    url: str
    office_line: str
    published_by: str
    state: str = "published"

    @property
    def lines_left(self) -> tuple[NoticeLine, ...]:
        """The lines that were granted, or may be yet."""
        return tuple(line for line in self.lines if line.state != "struck")

    def lines_of(self, subjects: Collection[Subject]) -> frozenset[int]:
        """The lines of these subjects."""
        return frozenset(line.line_no for line in self.lines if _subject(line) in subjects)

    def line(self, line_no: int) -> NoticeLine | None:
        """The line of this number."""
        return next((line for line in self.lines if line.line_no == line_no), None)


def publish(
    edition: Edition,
    compute: Callable[[], Results],
    *,
    edition_id: str,
    entry_states: Mapping[str, str],
    refuted: Collection[Subject] = (),
    decisions: tuple[Decision, ...] = (),
    other_awards: tuple[OtherAward, ...] = (),
    minute_no: str | None,
    minute_sha256: str | None,
    starts_on: date,
    url: str,
    office_line: str,
    today: date,
    by: str,
) -> Change[Notice]:
    """Publish the list that follows from the results as computed now, for as many days as the call says.

    A line `refuted` on a withdrawn list has no prize on this one.
    """
    editions.LIFECYCLE.require(edition.state, "deliberation")
    if undecided := sum(state in UNDECIDED for state in entry_states.values()):
        raise EntriesUndecided(entries=undecided)
    if not minute_no or not minute_sha256:
        raise ListWithoutMinute(minute_no=minute_no)
    upcoming(today=today, starts_on=starts_on)
    proposed = frozenset(
        entry_id
        for entry_id, state in entry_states.items()
        if state == "proposed" and ("entry", entry_id) not in refuted
    )
    results = compute()
    lines = draw_up(edition, results, proposed=proposed, decisions=decisions, other_awards=other_awards)
    if not lines:
        raise ListEmpty(edition_id=edition_id)

    notice = Notice(
        edition_id=edition_id,
        programme_kind=edition.programme_kind,
        level=edition.level,
        edition_no=edition.edition_no,
        year=edition.year,
        starts_at=start_of(starts_on),
        ends_at=publicity_ends(starts_on, days=edition.publicity_days, unit=edition.publicity_unit),
        lines=lines,
        decisions=decisions,
        inputs_hash=results.inputs_hash,
        minute_no=minute_no,
        minute_sha256=minute_sha256,
        url=url,
        office_line=office_line,
        published_by=by,
    )
    return Change(notice, "published")


def withdraw(notice: Notice, *, reason: str) -> Change[Notice]:
    """Withdraw a list before any prize is granted; the edition is deliberated again."""
    return Change(replace(notice, state=LIFECYCLE.move(notice.state, "withdrawn")), "withdrawn", reason)


def withdraw_with_edition(notice: Notice) -> Change[Notice] | None:
    """Withdraw it with its edition; None where the list no longer stands, or was granted."""
    return withdraw(notice, reason="edition cancelled") if notice.state == "published" else None


def strike(notice: Notice, *, refuted: Collection[int]) -> Change[Notice] | None:
    """Strike the prizes of everybody whose objection was upheld or who was excluded, on one of the `refuted` lines.

    None where that was done. A granted prize is beyond the reach of a list: it is revoked (A-24, A-25).
    """
    if notice.state not in STANDING:
        return None
    off = _about(notice, refuted)
    lines = tuple(replace(line, state="struck") if off(line) and _waits(line) else line for line in notice.lines)
    return None if lines == notice.lines else Change(replace(notice, lines=lines), "struck")


def grant(
    notice: Notice,
    edition: Edition,
    *,
    contested: Collection[int],
    refuted: Collection[int],
    document_no: str | None,
    granted_on: date | None = None,
    at: datetime,
) -> Change[Notice]:
    """Grant every prize without an open objection; the others are held, and granted later by another decision."""
    state = LIFECYCLE.move(notice.state, "granted")
    editions.LIFECYCLE.require(edition.state, *editions.LISTED)
    if not document_no:
        raise GrantedWithoutDocument(document_no=document_no)
    granted_on = granted_on or day_of(at)
    past(today=day_of(at), granted_on=granted_on)
    if at < notice.ends_at or granted_on < day_of(notice.ends_at):
        raise GrantedEarly(ends_at=notice.ends_at.isoformat(), granted_on=granted_on)
    is_refuted, is_contested = _about(notice, refuted), _about(notice, contested)

    def became(line: NoticeLine) -> NoticeLine:
        if not _waits(line):
            return line
        if is_refuted(line) or is_contested(line):
            return replace(line, state="struck" if is_refuted(line) else "held")
        return replace(line, state="granted", document_no=document_no, granted_on=granted_on)

    lines = tuple(map(became, notice.lines))
    if not any(line.state == "granted" and _waits(before) for line, before in zip(lines, notice.lines, strict=True)):
        raise NothingToGrant(state=notice.state)

    return Change(replace(notice, lines=lines, state=state), "granted")


def edition_state(standing: Notice | None) -> str:
    """The state of an edition by its list; one whose list was withdrawn is deliberated again."""
    return EDITION_STATES[standing.state] if standing else "deliberation"


def entry_state(
    standing: Notice | None, entry_id: str, *, contested: Collection[int] = (), refuted: Collection[int] = ()
) -> str:
    """The state of an entry by its edition's list; one without a prize stays proposed until the grant."""
    line = next((line for line in standing.lines if line.entry_id == entry_id), None) if standing else None
    if standing is None or line is None:
        return "not_awarded" if standing and standing.state == "granted" else "proposed"
    if line.state == "granted":
        return "awarded"
    if line.state == "struck" or _about(standing, refuted)(line):
        return "not_awarded"
    return "on_hold" if _about(standing, contested)(line) else "on_publicity"


def _waits(line: NoticeLine) -> bool:
    return line.state in ("proposed", "held")


def _about(notice: Notice, line_nos: Collection[int]) -> Callable[[NoticeLine], bool]:
    """True for a line about the subject of one of these lines: all prizes of one work go together."""
    subjects = {_subject(line) for line in notice.lines if line.line_no in line_nos}
    return lambda line: _subject(line) in subjects


def _subject(line: NoticeLine) -> Subject:
    return line.subject_type, line.subject_id
