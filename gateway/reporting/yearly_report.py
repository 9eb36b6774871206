"""The material of the yearly report: the plan's progress, and its numbers by district and by month."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateway.kpi.plan_answers import Answer
from gateway.reporting.query_service import QueryService
from gateway.reporting.question import Params


def material(query_service: QueryService, year: str, params: Params) -> Answer:
    """Answer the progress with `sections`, `districts` and `months`, each with the numbers that the KPIs have there.

    Of one district there are no districts, and of a period no months.
    """
    progress, plan = query_service.progress(year, params), query_service.plan(year, params)
    districts = {} if "district" in params else plan["districts"]
    by_district = {code: query_service.progress(year, {**params, "district": code}) for code in districts}
    months = [] if "period" in params else [f"{year}{month:02}" for month in range(1, 13)]
    by_month = {month: query_service.progress(year, {**params, "period": month}) for month in months}
    return {
        **progress,
        "sections": plan["sections"],
        "districts": [
            {"code": code, "name": plan["districts"][code], "values": _values(there)}
            for code, there in by_district.items()
        ],
        "months": [{"month": month, "values": _values(then)} for month, then in by_month.items()],
    }


def _values(progress: Mapping[str, Any]) -> Answer:
    return {kpi["code"]: kpi["value"] for item in progress["items"] for kpi in item["kpis"]}
