"""Editions (届): one run of a programme, from the plan over the call to the eligibility check.

The arrival of an entry decides whether it is in time, whatever state the edition has reached until its turn comes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from services.awards.domain import rules as rules_of
from services.awards.domain.rules import Rules
from services.contract.awards import EditionLevel, ProgrammeKind
from services.kernel import Change, Lifecycle, Refusal
from services.kernel.calendar import day_of, end_of
from services.kernel.quantity import whole

LIFECYCLE = Lifecycle(
    planned=("announced", "cancelled"),
    announced=("collecting", "cancelled"),
    collecting=("eligibility", "cancelled"),
    eligibility=("judging", "cancelled"),
    judging=("deliberation", "cancelled"),
    deliberation=("publicity", "judging", "cancelled"),
    publicity=("granted", "deliberation", "cancelled"),
    granted=("archived",),
)
HELD = tuple(state for state in LIFECYCLE.states if state != "cancelled")
RUNNING = tuple(state for state in HELD if state not in ("granted", "archived"))
UNJUDGED = ("planned", "announced", "collecting", "eligibility")
TAKES_PAPERS = ("collecting", "eligibility")
DECIDES = (*TAKES_PAPERS, "judging")  # an entry that arrived in the last second may have its turn after the first score
LISTED = ("deliberation", "publicity", "granted")  # an edition with a list may not have heard of it yet
STEPS = {
    "judging": "judged",
    "deliberation": "deliberated",
    "publicity": "publicised",
    "granted": "granted",
}
"""The happening of an edition that keeps in step with its rounds and its award list, by its new state."""


class EditionTaken(Refusal, rule="A-30", zh="该项目同级别的这一届已存在"):
    """A programme has each of its editions once at each level."""


class OpenedEarly(Refusal, rule="X-07", zh="未到申报开始日期"):
    """An edition opens on the first day of its submissions at the earliest."""


class ClosedEarly(Refusal, rule="X-07", zh="申报截止前结束须说明理由"):
    """Before its last day is over an edition is closed for a stated reason only."""


class CategoryInUse(Refusal, rule="X-04", zh="已有申报的类别不得取消"):
    """A category that has entries stays."""


class CertificatesMissing(Refusal, rule="A-34", zh="证书未全部制发的届次不得归档"):
    """An edition is archived once every prize on its list is decided, and has its certificate where it stands."""


@dataclass(frozen=True, kw_only=True)
class Edition(Rules):
    """A run of a programme: its rules, and its state."""

    programme_kind: ProgrammeKind
    level: EditionLevel
    edition_no: int
    year: int
    host_org_id: str
    opened_at: datetime | None = None
    closed_at: datetime | None = None
    state: str = "planned"

    def takes_entries(self, at: datetime) -> bool:
        """True where it was open at this instant, even if it was closed since."""
        if self.state not in TAKES_PAPERS or self.opened_at is None or at < self.opened_at:
            return False
        return self.submission.is_open(at) and (self.closed_at is None or at < self.closed_at)


def create(
    *,
    programme_kind: ProgrammeKind,
    level: EditionLevel,
    edition_no: int,
    year: int,
    host_org_id: str,
    rules: Rules,
) -> Change[Edition]:
    """Plan an edition; its rules bind nobody before they are announced."""
    whole(edition_no=edition_no, year=year)

    edition = Edition(
        programme_kind=programme_kind,
        level=level,
        edition_no=edition_no,
        year=year,
        host_org_id=host_org_id,
        **vars(rules),
    )
    return Change(edition, "created")


def revise(
    edition: Edition, *, rules: Rules, used_categories: frozenset[str], reason: str, is_judged: bool = False
) -> Change[Edition]:
    """Replace the rules, as long as no judge can have scored: else a ranking could be steered.

    It `is_judged` once it has a round, whether or not it has heard of it.
    """
    LIFECYCLE.require("judging" if is_judged else edition.state, *UNJUDGED)
    if edition.state != "planned":
        rules_of.fit_to_announce(rules)
    if lost := used_categories - {category.category_code for category in rules.categories}:
        raise CategoryInUse(category_code=", ".join(sorted(lost)))

    return Change(replace(edition, **vars(rules)), "revised", reason)


def announce(edition: Edition) -> Change[Edition]:
    """Publish the call, with rules by which it can be run to its end."""
    state = LIFECYCLE.move(edition.state, "announced")
    rules_of.fit_to_announce(edition)

    return Change(replace(edition, state=state), "announced")


def open(edition: Edition, *, at: datetime) -> Change[Edition]:  # noqa: A001 - the word of the association
    """Accept entries from now on."""
    state = LIFECYCLE.move(edition.state, "collecting")
    if day_of(at) < edition.submit_from:
        raise OpenedEarly(submit_from=edition.submit_from)

    return Change(replace(edition, state=state, opened_at=at), "opened")


def close(edition: Edition, *, reason: str | None, at: datetime) -> Change[Edition]:
    """Accept no entry that arrives from now on."""
    state = LIFECYCLE.move(edition.state, "eligibility")
    if at < end_of(edition.submit_to) and not reason:
        raise ClosedEarly(submit_to=edition.submit_to)

    return Change(replace(edition, state=state, closed_at=at), "closed", reason)


def follow(edition: Edition, *, to: str) -> Change[Edition] | None:
    """Keep in step with the rounds and the list of an edition; None where it is there, or where no way leads there."""
    if to not in LIFECYCLE.moves.get(edition.state, ()):
        return None
    return Change(replace(edition, state=to), STEPS[to])


def follow_rounds(edition: Edition, *, to: str) -> Change[Edition] | None:
    """Keep in step with the rounds; an edition with a list is deliberated again by that list alone."""
    return None if edition.state == "publicity" else follow(edition, to=to)


def follow_list(edition: Edition, *, to: str) -> Change[Edition] | None:
    """Keep in step with the award list, one step at a time; an edition that is judged again is not called back."""
    if edition.state not in ("deliberation", "publicity"):
        return None
    return follow(edition, to="publicity" if (edition.state, to) == ("deliberation", "granted") else to)


def archive(edition: Edition, *, uncertified: int) -> Change[Edition]:
    """Archive it; `uncertified` are the prizes on its list without a certificate."""
    state = LIFECYCLE.move(edition.state, "archived")
    if uncertified:
        raise CertificatesMissing(awards=uncertified)

    return Change(replace(edition, state=state), "archived")


def cancel(edition: Edition, *, reason: str, is_granted: bool = False) -> Change[Edition]:
    """Cancel it; its number is free again.

    It `is_granted` once a prize of its list is, whether or not it has heard of it.
    """
    state = LIFECYCLE.move("granted" if is_granted else edition.state, "cancelled")
    return Change(replace(edition, state=state), "cancelled", reason)
