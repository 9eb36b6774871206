"""Nomination calls (推荐名额): how many entries of an edition may go on to the contest above it.

The city nominates winners of the city for the province, and the province its winners for the nation.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import get_args

from services.awards.domain.edition import Edition
from services.contract.awards import EditionLevel, Level, Series
from services.kernel import Change, Lifecycle, Refusal
from services.kernel.quantity import whole

LIFECYCLE = Lifecycle(open=("closed",))
UPWARDS: tuple[str, ...] = get_args(EditionLevel)
YOUTH: Series = "youth_contest"


class NotTheLowerContest(Refusal, rule="A-08", zh="推荐须来自同一年度同类的下级评选"):
    """Entries are nominated from the contest below, of the same kind and the same year."""


class CalledTwice(Refusal, rule="A-08", zh="该上级赛事的推荐名额已登记"):
    """The quota of an edition for a contest above is taken down once."""


@dataclass(frozen=True, kw_only=True)
class NominationCall:
    """The slots that a contest above gives, by the number of the document that gives them."""

    from_edition_id: str
    to_series: Series
    to_level: Level
    to_edition_no: int
    year: int
    places: int
    document_no: str
    state: str = "open"


def open(  # noqa: A001 - as an edition is opened
    edition: Edition,
    *,
    from_edition_id: str,
    to_series: Series,
    to_level: Level,
    to_edition_no: int,
    year: int,
    places: int,
    document_no: str,
) -> Change[NominationCall]:
    """Record how many slots there are for this edition."""
    whole(to_edition_no=to_edition_no, places=places)
    is_above = UPWARDS.index(to_level) > UPWARDS.index(edition.level)
    is_alike = (to_series == YOUTH) == (edition.programme_kind == "youth")
    if not is_above or not is_alike or year != edition.year:
        raise NotTheLowerContest(programme_kind=edition.programme_kind, level=edition.level, year=edition.year)

    call = NominationCall(
        from_edition_id=from_edition_id,
        to_series=to_series,
        to_level=to_level,
        to_edition_no=to_edition_no,
        year=year,
        places=places,
        document_no=document_no,
    )
    return Change(call, "opened")


def close(call: NominationCall, *, reason: str) -> Change[NominationCall]:
    """Nominate no more by it; existing nominations go on."""
    return Change(replace(call, state=LIFECYCLE.move(call.state, "closed")), "closed", reason)
