"""Campaigns: the brand under which activities happen; audiences belong to the activities alone (O-02)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

from services.contract.outreach import CampaignKind
from services.kernel import Change, Lifecycle, Refusal
from services.kernel.day import in_order

LIFECYCLE = Lifecycle(open=("closed",))


class MembersDayCounted(Refusal, rule="O-16", zh="科协会员日属会员活动，不计入科普受众人次"):
    """Members' Day visits are membership work and never count for the audience reached (K2)."""


@dataclass(frozen=True, kw_only=True)
class Campaign:
    """A brand campaign with its theme and days."""

    campaign_kind: CampaignKind
    theme: str
    starts_on: date
    ends_on: date
    counts_for_k2: bool
    state: str = "open"

    @property
    def year(self) -> int:
        """The year in which it starts."""
        return self.starts_on.year


def open(  # noqa: A001 - the word of the association
    *,
    campaign_kind: CampaignKind,
    theme: str,
    starts_on: date,
    ends_on: date,
    counts_for_k2: bool | None = None,
) -> Change[Campaign]:
    """Open a campaign; by default its audiences count for K2 unless it is Members' Day."""
    in_order(starts_on=starts_on, ends_on=ends_on)
    is_members_day = campaign_kind == "members_day"
    if is_members_day and counts_for_k2:
        raise MembersDayCounted(campaign_kind=campaign_kind)

    campaign = Campaign(
        campaign_kind=campaign_kind,
        theme=theme,
        starts_on=starts_on,
        ends_on=ends_on,
        counts_for_k2=not is_members_day if counts_for_k2 is None else counts_for_k2,
    )
    return Change(campaign, "opened")


def close(campaign: Campaign) -> Change[Campaign]:
    """Let no more activities join; those that did go their own way."""
    return Change(replace(campaign, state=LIFECYCLE.move(campaign.state, "closed")), "closed")
