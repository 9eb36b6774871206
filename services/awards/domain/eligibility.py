"""The eligibility check (资格审查): an entry is returned for correction, or found eligible or not, with reasons.

The findings are written into the entry: its similarity to another one, and an earlier entry of the same work.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date

from services.awards.domain import benefit
from services.awards.domain import edition as editions
from services.awards.domain.comparison import Comparison, compare
from services.awards.domain.edition import Edition
from services.awards.domain.entry import LIFECYCLE, Entry
from services.awards.domain.material import Material
from services.awards.domain.programme import BY_BENEFIT
from services.contract.awards import Shortcoming
from services.kernel import Change, Refusal
from services.kernel.day import upcoming
from services.kernel.duty import separate


class ReasonMissing(Refusal, rule="A-32", zh="退回或判定不合格须列明情形"):
    """An entry is returned or found ineligible for stated shortcomings."""


class ReasonLeft(Refusal, rule="A-32", zh="仍有不合格情形的申报不得判定为合格"):
    """An entry is found eligible when no shortcoming is left."""


class AwardedBefore(Refusal, rule="A-07", zh="同一作品已在往届获奖"):
    """A work that won a prize in an earlier edition of its programme wins no other one."""


class FileUnknown(Refusal, rule="A-13", zh="该申报没有这一附件"):
    """Only a file of the entry can be found to name nobody."""


class ConsentMissing(Refusal, rule="A-29", zh="未成年申报人须有监护人同意书"):
    """An entry of a minor goes on with the guardian's consent."""


def send_back(
    entry: Entry,
    edition: Edition,
    *,
    shortcomings: tuple[Shortcoming, ...],
    correct_by: date,
    note: str | None,
    today: date,
) -> Change[Entry]:
    """Return an entry, to be corrected by the end of a day."""
    state = LIFECYCLE.move(entry.state, "returned")
    editions.LIFECYCLE.require(edition.state, *editions.TAKES_PAPERS)
    if not shortcomings:
        raise ReasonMissing(state=state)
    upcoming(today=today, correct_by=correct_by)

    returned = replace(entry, state=state, shortcomings=shortcomings, correct_by=correct_by)
    return Change(returned, "sent_back", note)


def decide(
    entry: Entry,
    edition: Edition,
    *,
    eligible: bool,
    shortcomings: tuple[Shortcoming, ...] = (),
    anonymous_files: tuple[str, ...] = (),
    anonymous_title: bool | None = None,
    others: Iterable[tuple[str, Entry]],
    note: str | None = None,
    by: str,
) -> Change[Entry]:
    """Decide whether it is judged, beside the other entries of its programme; its submitter does not (X-05).

    `anonymous_files` and `anonymous_title` are the parts of it that judges of a blind category are shown (A-13).
    """
    state = LIFECYCLE.move(entry.state, "eligible" if eligible else "ineligible")
    editions.LIFECYCLE.require(edition.state, *editions.DECIDES)
    for person in entry.handed_in_by:
        separate(entered_by=person, by=by)
    comparison = compare(entry, others)
    if eligible:
        _fit_to_be_judged(entry, comparison=comparison, shortcomings=shortcomings)
    elif not shortcomings:
        raise ReasonMissing(state=state)

    decided = replace(
        entry,
        state=state,
        material=_looked_through(entry.material, anonymous_files),
        title_names_nobody=bool(anonymous_title),
        shortcomings=shortcomings,
        similarity=comparison.similarity,
        similar_entry_id=comparison.similar_entry_id,
        prior_entry_ids=comparison.prior_entry_ids,
        decided_by=by,
    )
    return Change(decided, "decided", note)


def _fit_to_be_judged(entry: Entry, *, comparison: Comparison, shortcomings: tuple[Shortcoming, ...]) -> None:
    if shortcomings:
        raise ReasonLeft(shortcomings=", ".join(shortcomings))
    if comparison.awarded_entry_ids:
        raise AwardedBefore(entries=", ".join(comparison.awarded_entry_ids))
    if lacking := sum(entrant.minor and entrant.consent_ref is None for entrant in entry.material.entrants):
        raise ConsentMissing(minors=lacking)
    if entry.material.benefit_claim or entry.programme_kind in BY_BENEFIT:
        benefit.fit_to_count(entry.material.benefit_claim, own_units=entry.own_units)


def _looked_through(material: Material, anonymous_files: tuple[str, ...]) -> Material:
    if unknown := set(anonymous_files) - {file.sha256 for file in material.attachments}:
        raise FileUnknown(sha256=", ".join(sorted(unknown)))
    looked_at = (replace(file, names_nobody=file.sha256 in anonymous_files) for file in material.attachments)
    return replace(material, attachments=tuple(looked_at))
