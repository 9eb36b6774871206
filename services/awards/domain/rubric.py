"""Rubrics: the criteria by which a category is scored, each with its scale and its weight."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from services.awards.domain.figure import is_plain, units
from services.contract.awards import Criterion, EditionCategory
from services.kernel import Refusal


class ScaleBroken(Refusal, rule="A-14", zh="评分项的满分、步长或权重不成立"):
    """A criterion has a positive maximum in whole steps, and a weight that is positive unless it is independent."""


class CriterionTwice(Refusal, rule="A-14", zh="评分项代码重复"):
    """A criterion stands in a rubric once."""


class NothingCounts(Refusal, rule="A-14", zh="评分表至少须有一项计入总分"):
    """A rubric keeps at least one criterion that is not independent."""


@dataclass(frozen=True, kw_only=True)
class Rubric:
    """The criteria of a category."""

    criteria: tuple[Criterion, ...]

    @property
    def counting(self) -> tuple[Criterion, ...]:
        """The criteria that count towards the total."""
        return tuple(criterion for criterion in self.criteria if not criterion.independent)


def of_category(category: EditionCategory, *, round_no: int) -> Rubric:
    """The rubric of a category's entries in this round."""
    return draw_up(criterion for criterion in category.rubric if criterion.round_no in (None, round_no))


def takes(criterion: Criterion, score: Decimal) -> bool:
    """True for a score on the scale of the criterion, and on a step of it."""
    return is_plain(score) and score <= criterion.max and units(score) % units(criterion.step) == 0


def draw_up(criteria: Iterable[Criterion]) -> Rubric:
    """Make a rubric by which sheets can be checked."""
    rubric = Rubric(criteria=tuple(criteria))
    for criterion in rubric.criteria:
        _require_scale(criterion)
    codes = Counter(criterion.criterion_code for criterion in rubric.criteria)
    if twice := [code for code, times in codes.items() if times > 1]:
        raise CriterionTwice(codes=", ".join(twice))
    if not rubric.counting:
        raise NothingCounts(criteria=", ".join(codes))

    return rubric


def _require_scale(criterion: Criterion) -> None:
    plain = all(map(is_plain, (criterion.max, criterion.step, criterion.weight)))
    if not plain or not (criterion.max and criterion.step and takes(criterion, criterion.max)):
        raise ScaleBroken(criterion=criterion.criterion_code, max=criterion.max, step=criterion.step)
    if not criterion.weight and not criterion.independent:
        raise ScaleBroken(criterion=criterion.criterion_code, weight=criterion.weight)
