"""The rules of an edition: windows, categories, rubrics, prizes, and how ties end.

They are stated as a whole and revised as a whole, so that nobody has to wonder which part of which call holds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from services.awards.domain import rubric
from services.awards.domain.programme import HABITS
from services.awards.domain.window import Window, in_order
from services.contract.awards import (
    EditionCategory,
    NominationQuota,
    Normalisation,
    ProgrammeKind,
    RoundRules,
    TiePolicy,
    TieStep,
)
from services.kernel import Refusal
from services.kernel.calendar import Unit


class JudgedWhileCollecting(Refusal, rule="X-07", zh="评审须在申报截止后开始"):
    """Judging begins after the last day of the submissions."""


class NamedTwice(Refusal, rule="A-31", zh="类别、评分项、奖励等级、推荐单位和并列规则各只能列出一次"):
    """A category, a criterion, a grade, a nominating unit and a step against ties are listed once each."""


class RubricMissing(Refusal, rule="A-31", zh="每个类别须有评分标准"):
    """Every category has a rubric before the edition is announced."""


class RoundsOutOfOrder(Refusal, rule="X-07", zh="各轮评审须依次进行，且在评审期限之内"):
    """Rounds follow each other within the window of judging."""


class AdvanceUnclear(Refusal, rule="A-31", zh="除末轮外，每轮须写明入围比例"):
    """Each round but the last says which share of its entries goes on."""


class LastRoundWeightless(Refusal, rule="A-31", zh="末轮评审的权重须大于零"):
    """The last round has a weight."""


class QuotaUnclear(Refusal, rule="A-18", zh="奖励名额须为数量或比例之一"):
    """A quota is either a number of places or a share of the entries."""


class QuotaAboveCap(Refusal, rule="A-18", zh="各等级奖励比例之和超过总获奖率上限"):
    """The shares of a category's grades are no more than the overall cap together."""


@dataclass(frozen=True, kw_only=True)
class Rules:
    """The whole content of the call."""

    submit_from: date
    submit_to: date
    judge_from: date
    judge_to: date
    rounds: tuple[RoundRules, ...] = ()  # none: a single one, in the whole window of judging
    disagreement: int | None = None  # points of 100 between two judges, from which a second look is due
    work_from: date | None = None  # when the work was finished or published; both None: at any time
    work_to: date | None = None
    categories: tuple[EditionCategory, ...]
    nomination_quotas: tuple[NominationQuota, ...] = ()
    award_cap_percent: int
    tie_break: tuple[TieStep, ...]
    tie_policy: TiePolicy
    normalisation: Normalisation
    publicity_days: int
    publicity_unit: Unit
    revocation_days: int
    one_entry_each: bool
    same_place: bool
    same_stage: bool

    @property
    def submission(self) -> Window:
        """The window in which entries are accepted."""
        return Window(first=self.submit_from, last=self.submit_to)

    @property
    def work(self) -> Window | None:
        """The window in which a work may have been done, or None."""
        if self.work_from is None and self.work_to is None:
            return None
        return Window(first=self.work_from or date.min, last=self.work_to or date.max)

    @property
    def judging(self) -> tuple[RoundRules, ...]:
        """The rounds in their order, one at least."""
        return self.rounds or (RoundRules(judge_from=self.judge_from, judge_to=self.judge_to),)

    def category(self, code: str) -> EditionCategory | None:
        """The category of this code, or None."""
        return next((category for category in self.categories if category.category_code == code), None)

    def category_of(self, code: str) -> EditionCategory:
        """The category of a code that is known to exist."""
        return next(category for category in self.categories if category.category_code == code)


def state(programme_kind: ProgrammeKind, **stated: Any) -> Rules:
    """State the rules; terms of entry that are left open are those of the programme."""
    rules = Rules(**vars(HABITS[programme_kind]) | {name: value for name, value in stated.items() if value is not None})
    in_order(rules.submit_from, rules.submit_to)
    in_order(rules.judge_from, rules.judge_to)
    in_order(rules.work_from or date.min, rules.work_to or date.max)
    return rules


def fit_to_announce(rules: Rules) -> None:
    """Refuse rules by which an edition could not be run to its end."""
    if rules.judge_from <= rules.submit_to:
        raise JudgedWhileCollecting(judge_from=rules.judge_from, submit_to=rules.submit_to)
    _each_once(category_code=(category.category_code for category in rules.categories))
    _each_once(nominating_unit_id=(quota.nominating_unit_id for quota in rules.nomination_quotas))
    _each_once(tie_break=rules.tie_break)
    _fit_to_follow(rules.judging, within=rules)
    for category in rules.categories:
        _fit_to_judge(category, rounds=len(rules.judging))
        _within_cap(category, cap=rules.award_cap_percent)


def _fit_to_follow(rounds: tuple[RoundRules, ...], *, within: Rules) -> None:
    """Require one round after the other, and of each but the last a share that goes on."""
    days = [day for round_ in rounds for day in (round_.judge_from, round_.judge_to)]
    if days != sorted(days) or days[0] < within.judge_from or days[-1] > within.judge_to:
        raise RoundsOutOfOrder(judge_from=within.judge_from, judge_to=within.judge_to, days=", ".join(map(str, days)))
    *earlier, last = rounds
    if last.advance_percent is not None or any(round_.advance_percent is None for round_ in earlier):
        raise AdvanceUnclear(rounds=len(rounds))
    if not last.weight:
        raise LastRoundWeightless(weight=last.weight)


def _fit_to_judge(category: EditionCategory, *, rounds: int) -> None:
    if not category.rubric:
        raise RubricMissing(category_code=category.category_code)
    _each_once(criterion_code=(criterion.criterion_code for criterion in category.rubric))
    for round_no in range(1, rounds + 1):
        rubric.of_category(category, round_no=round_no)
    _each_once(grade=(quota.grade for quota in category.quotas))


def _within_cap(category: EditionCategory, *, cap: int) -> None:
    for quota in category.quotas:
        if (quota.places is None) == (quota.percent is None):
            raise QuotaUnclear(category_code=category.category_code, grade=quota.grade)
    total = sum(quota.percent or 0 for quota in category.quotas)
    if total > cap:
        raise QuotaAboveCap(category_code=category.category_code, percent=total, award_cap_percent=cap)


def _each_once(**listed: Iterable[str]) -> None:
    for name, values in listed.items():
        if twice := [value for value, times in Counter(values).items() if times > 1]:
            raise NamedTwice(**{name: ", ".join(twice)})
