"""The report of an activity: its counts are handed in together and verified together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from services.kernel import Change, Refusal
from services.outreach.domain.activity import LIFECYCLE, Activity
from services.outreach.domain.audience import AudienceCount, VerifiedByRecorder, require_evidence
from services.outreach.domain.evidence import Evidence


class DaysWithoutCount(Refusal, rule="X-12", zh="活动每一天都须有人次填报后方可上报"):
    """An activity is reported once each of its days has a count."""


class CountsUndecided(Refusal, rule="X-12", zh="仍有人次尚未核实或驳回"):
    """An activity is verified once each of its counts was verified, rejected or superseded."""


def hand_in(
    activity: Activity, *, counts: Sequence[AudienceCount], evidence: Sequence[Evidence], by: str
) -> Change[Activity]:
    """Report the audience of a held activity: every day is counted, every large rough number has its evidence."""
    state = LIFECYCLE.move(activity.state, "reported")
    standing = [count for count in counts if count.stands]
    if missing := sorted(set(activity.days) - {count.day for count in standing}):
        raise DaysWithoutCount(days=", ".join(map(str, missing)))
    for count in standing:
        require_evidence(count, evidence)

    return Change(replace(activity, state=state, reported_by=by), "reported")


def verify(activity: Activity, *, counts: Sequence[AudienceCount], by: str) -> Change[Activity]:
    """Let the report stand; a recorder of one of its counts, or its reporter, may not."""
    state = LIFECYCLE.move(activity.state, "verified")
    if by in {activity.reported_by, *(count.recorded_by for count in counts)}:
        raise VerifiedByRecorder(recorded_by=by)
    if undecided := sum(count.state == "recorded" for count in counts):
        raise CountsUndecided(undecided=undecided)

    return Change(replace(activity, state=state, verified_by=by), "verified")
