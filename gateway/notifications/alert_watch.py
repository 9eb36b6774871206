"""Watch over the KPIs: notes for every alert rule what changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from time import monotonic
from typing import Any

from gateway.notifications import status_changes
from gateway.notifications.alert_rules import AlertRule, KpiObservation
from gateway.notifications.alerts import Alerts
from gateway.notifications.status_changes import KpiCondition, KpiConditions, Subscription
from gateway.reporting import question_parameters
from gateway.reporting.query_service import QueryService
from services.chassis.problem import NotFound

LOOK_AGAIN = 10.0  # seconds until the KPIs are looked at although no event came in: some change with the day alone


class AlertWatch:
    """Looks at the KPIs for all rules; what it sees counts once two looks in a row saw it."""

    def __init__(self, query_service: QueryService, alerts: Alerts) -> None:
        self._query_service, self._alerts = query_service, alerts
        self._last: dict[int, KpiConditions] = {}
        self._revision, self._look_again_at = -1, 0.0

    def look(self) -> None:
        """Note for each active rule what changed, if events came in, a rule is new or `LOOK_AGAIN` has passed."""
        rules = self._alerts.active_rules()
        if not rules:
            return
        revision = self._query_service.revision()
        if not self._is_due(rules, revision):
            return

        are_settled = [
            self._look_at_year(year, [rule for rule in rules if rule.year == year])
            for year in {rule.year for rule in rules}
        ]
        self._look_again_at = monotonic() + (LOOK_AGAIN if all(are_settled) else 0.0)
        self._revision = revision

    def forget(self) -> None:
        """Forget the last look: another gateway has the watch, and what was seen grows too old to confirm anything."""
        self._last = {}

    def _is_due(self, rules: list[AlertRule], revision: int) -> bool:
        is_new = any(rule.since is None for rule in rules)
        return is_new or revision != self._revision or monotonic() >= self._look_again_at

    def _look_at_year(self, year: int, rules: list[AlertRule]) -> bool:
        """False where another look is needed soon; True also where the year has no plan any more."""
        with suppress(NotFound):
            observation = self._observe(year, rules)
            before, self._last[year] = self._last.get(year, {}), observation.conditions
            conditions = status_changes.confirmed(before, observation.conditions)
            confirmed = KpiObservation(observation.as_of, observation.revision, conditions, observation.kpis)
            are_noted = [self._alerts.note(rule, confirmed) for rule in rules]
            return all(are_noted) and conditions == observation.conditions
        return True

    def _observe(self, year: int, rules: list[AlertRule]) -> KpiObservation:
        progress = self._query_service.progress(str(year), {})
        kpis = status_changes.kpis_by_code(progress)
        subscriptions = [] if progress["complete"] else [rule.subscription for rule in rules]
        needing = [subscription for subscription in subscriptions if subscription.needs_reasons]
        conditions = {code: self._condition_of(kpi, year, needing) for code, kpi in kpis.items()}
        return KpiObservation(progress["as_of"], progress["revision"], conditions, kpis)

    def _condition_of(self, kpi: Mapping[str, Any], year: int, needing: list[Subscription]) -> KpiCondition:
        are_reasons_needed = any(subscription.covers(kpi) for subscription in needing)
        return status_changes.condition_of(kpi, self._reasons(year, kpi["code"]) if are_reasons_needed else ())

    def _reasons(self, year: int, code: str) -> Iterable[Mapping[str, Any]]:
        """Why this number is not complete; the answer about the whole plan gives the reasons of all KPIs together."""
        return self._query_service.kpi(code, {"period": question_parameters.period(str(year))})["reasons"]
