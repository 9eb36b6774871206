"""Audience counts: one person records, another verifies, and only then the plan counts (K2).

A count copies from its activity everything it is counted by, so that it can be read by itself ever after.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date

from services.contract.outreach import Format, Method, Mode
from services.kernel import Change, Lifecycle, Refusal
from services.kernel.duty import separate
from services.kernel.quantity import whole
from services.outreach.domain import activity as activities
from services.outreach.domain.activity import Activity
from services.outreach.domain.evidence import Evidence, require_one_activity

LARGE = 1_000  # person-times from which an outsider must vouch for a number that nobody counted one by one
TURNOVER = 5  # how often a venue can fill in a day

ROUGH: tuple[Method, ...] = ("headcount", "estimate")
PHYSICAL: tuple[Method, ...] = ("scan", "sign_in", "headcount", "turnstile")

LIFECYCLE = Lifecycle(recorded=("verified", "rejected", "superseded"), verified=("superseded",))


class Implausible(Refusal, rule="O-01", zh="超出场地合理容量的人次，须经填报人和核实人以外的第三人批准"):
    """More people than the venue can hold in a day need the approval of somebody who neither recorded nor verifies."""


class TooManyMinors(Refusal, rule="O-01", zh="未成年人人次不得多于总人次"):
    """Minors are part of the audience and not more than it."""


class CountedTwice(Refusal, rule="O-03", zh="同一活动、同一天、同一方式和方法的人次只填报一次"):
    """An activity's day is counted once by each mode and method."""


class DayVerifiedTwice(Refusal, rule="O-03", zh="同一活动同一天的同类人次只核实一次，其他计数须被取代或驳回"):
    """One count of an activity's day and mode is verified; another one has to be superseded before."""


class NotTheSameAudience(Refusal, rule="O-03", zh="只能由同一活动、同一天、同类且有效的另一计数取代"):
    """A count is superseded by another standing one of the same activity, day and mode."""


class VerifiedByRecorder(Refusal, rule="O-05", zh="人次不得由填报人本人核实"):
    """Whoever recorded a figure may not verify it."""


class EvidenceMissing(Refusal, rule="O-06", zh="较大的估算人次须有媒体报道或主办方证明，更正须有佐证材料"):
    """A large number that was estimated needs a press report or a letter, and a correction something to rest on."""


class OnlineAudience(Refusal, rule="O-11", zh="线上人次不得计为线下，现场方法不得用于线上人次"):
    """Online views are no offline person-times, and nobody can be counted on site who was online."""


class NotItsDay(Refusal, rule="O-20", zh="人次所属日期必须是活动已到的日期之一"):
    """A count is for one of the activity's days, and for none that is still to come."""


@dataclass(frozen=True, kw_only=True)
class AudienceCount:
    """A day's audience of one activity by one mode and method, with its recorder and verifiers."""

    activity_id: str
    day: date
    mode: Mode
    method: Method
    person_times: int
    minors: int | None
    handouts: int | None
    consultations: int | None
    format: Format
    district: str
    campaign_id: str | None
    venue_id: str | None
    counts_for_k2: bool
    recorded_by: str
    plausible_up_to: int | None  # the venue's capacity in a day; None: not known
    approved_by: str | None = None
    verified_by: str | None = None
    corrected_by: str | None = None
    evidence_ids: tuple[str, ...] = ()  # the evidence for its last correction
    superseded_by: str | None = None
    state: str = "recorded"

    @property
    def stands(self) -> bool:
        """True unless it was rejected or superseded."""
        return self.state in ("recorded", "verified")

    @property
    def is_implausible(self) -> bool:
        """True where the venue can hardly have held so many."""
        return self.plausible_up_to is not None and self.person_times > self.plausible_up_to

    @property
    def needs_evidence(self) -> bool:
        """True for a large number that nobody counted one by one."""
        return self.person_times >= LARGE and self.method in ROUGH


def record(
    activity: Activity,
    *,
    activity_id: str,
    day: date,
    mode: Mode,
    method: Method,
    person_times: int,
    minors: int | None = None,
    handouts: int | None = None,
    consultations: int | None = None,
    turnover: int = TURNOVER,
    today: date,
    by: str,
) -> Change[AudienceCount]:
    """Enter a day's audience; the plausible number depends on the capacity of the activity's venue."""
    whole(person_times=person_times, minors=minors, handouts=handouts, consultations=consultations)
    activities.LIFECYCLE.require(activity.state, "ongoing", "held", "not_reported", "reported")
    if day not in activity.days or day > today:
        raise NotItsDay(day=day, first_day=activity.days[0], last_day=activity.days[-1])
    if mode == "offline" and activity.delivery == "online":
        raise OnlineAudience(mode=mode, delivery=activity.delivery)
    if mode == "online" and method in PHYSICAL:
        raise OnlineAudience(mode=mode, method=method)

    count = AudienceCount(
        activity_id=activity_id,
        day=day,
        mode=mode,
        method=method,
        person_times=person_times,
        minors=minors,
        handouts=handouts,
        consultations=consultations,
        format=activity.format,
        district=activity.district,
        campaign_id=activity.campaign_id,
        venue_id=activity.venue_id,
        counts_for_k2=activity.counts_for_k2,
        recorded_by=by,
        plausible_up_to=None if activity.capacity is None or mode == "online" else activity.capacity * turnover,
    )
    return Change(_sound(count), "recorded")


def approve(count: AudienceCount, *, by: str) -> Change[AudienceCount]:
    """Vouch as a second person for a number that the venue can hardly have held; a third person verifies it."""
    LIFECYCLE.require(count.state, "recorded")
    separate(entered_by=count.recorded_by, by=by)

    return Change(replace(count, approved_by=by), "approved")


def verify(count: AudienceCount, *, evidence: Iterable[Evidence], by: str) -> Change[AudienceCount]:
    """Let a count stand, given the evidence of its activity: from now on it is corrected, never edited."""
    state = LIFECYCLE.move(count.state, "verified")
    if by == count.recorded_by:
        raise VerifiedByRecorder(recorded_by=count.recorded_by)
    if count.is_implausible and count.approved_by in (None, by):
        raise Implausible(person_times=count.person_times, plausible_up_to=count.plausible_up_to)
    require_evidence(count, evidence)

    return Change(replace(count, state=state, verified_by=by), "verified")


def reject(count: AudienceCount, *, reason: str) -> Change[AudienceCount]:
    """Reject a count; the same audience may be recorded again."""
    return Change(replace(count, state=LIFECYCLE.move(count.state, "rejected")), "rejected", reason)


def correct(
    count: AudienceCount,
    *,
    activity: Activity,
    person_times: int,
    minors: int | None = None,
    evidence: Mapping[str, Evidence],
    reason: str,
    by: str,
) -> Change[AudienceCount]:
    """Replace the number of a verified count, until the activity is closed.

    Minors that are left out stay as they were. A correction never goes beyond what the venue can hold: nobody else
    would have approved it.
    """
    whole(person_times=person_times, minors=minors)
    LIFECYCLE.require(count.state, "verified")
    _require_open(activity)
    separate(entered_by=count.recorded_by, by=by)
    require_one_activity(evidence.values(), activity_id=count.activity_id)
    corrected = replace(
        count,
        person_times=person_times,
        minors=count.minors if minors is None else minors,
        corrected_by=by,
        evidence_ids=tuple(evidence),
    )
    if corrected.is_implausible and person_times > count.person_times:
        raise Implausible(person_times=person_times, plausible_up_to=count.plausible_up_to)
    if not evidence:
        raise EvidenceMissing(person_times=person_times)
    if not count.needs_evidence:
        require_evidence(corrected, evidence.values())

    return Change(_sound(corrected), "corrected", reason)


def supersede(
    count: AudienceCount, *, by_count_id: str, by_count: AudienceCount, activity: Activity, reason: str
) -> Change[AudienceCount]:
    """Replace it by another count of the same audience; at no moment do both of them count for K2."""
    state = LIFECYCLE.move(count.state, "superseded")
    _require_open(activity)
    if not by_count.stands or by_count.method == count.method or _audience(by_count) != _audience(count):
        raise NotTheSameAudience(by_count_id=by_count_id, by_state=by_count.state)

    return Change(replace(count, state=state, superseded_by=by_count_id), "superseded", reason)


def require_evidence(count: AudienceCount, evidence: Iterable[Evidence]) -> None:
    """Refuse a large rough number that nobody outside the association vouches for (O-06)."""
    if count.needs_evidence and not any(item.attests for item in evidence):
        raise EvidenceMissing(person_times=count.person_times, method=count.method)


def _require_open(activity: Activity) -> None:
    activities.LIFECYCLE.require(activity.state, "ongoing", "held", "not_reported", "reported", "verified")


def _sound(count: AudienceCount) -> AudienceCount:
    if count.minors is not None and count.minors > count.person_times:
        raise TooManyMinors(minors=count.minors, person_times=count.person_times)
    return count


def _audience(count: AudienceCount) -> tuple[str, date, Mode]:
    return count.activity_id, count.day, count.mode
