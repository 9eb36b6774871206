"""The yearly report's material: the plan's progress, and its numbers by district and by month, all of one moment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateway.reporting.query_service import QueryService

Answer = dict[str, Any]


def material(query_service: QueryService, year: str, wanted: Mapping[str, Any]) -> Answer:
    """Progress with `sections`, `districts` and `months`: each with the numbers that the KPIs have there."""
    progress, plan = query_service.progress(year, wanted), query_service.plan(year, wanted)
    districts = {} if "district" in wanted else plan["districts"]
    by_district = {code: query_service.progress(year, {**wanted, "district": code}) for code in districts}
    months = [] if "period" in wanted else [f"{year}{month:02}" for month in range(1, 13)]
    by_month = {month: query_service.progress(year, {**wanted, "period": month}) for month in months}
    return {
        **progress,
        "sections": plan["sections"],
        "districts": [
            {"code": code, "name": plan["districts"][code], "values": _values(part)}
            for code, part in by_district.items()
        ],
        "months": [{"month": month, "values": _values(part)} for month, part in by_month.items()],
    }


def _values(progress: Mapping[str, Any]) -> Answer:
    return {kpi["code"]: kpi["value"] for item in progress["items"] for kpi in item["kpis"]}
