"""Rehearsals: commands that claim another time of arrival, so that a year of deadlines can be played at once.

Only where the setting `REHEARSAL` is on, as for the demo year: everywhere else a command arrives when it arrives, and
one that claims another time is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from services.chassis.clock import to_the_millisecond
from services.chassis.problem import FieldError, InvalidInput, NotAllowed
from services.contract.event import Event
from services.kernel.calendar import SHANGHAI

HEADER = "kexie.at"  # of a request over RPC: an instant like 2011-05-14T10:00:00+08:00


def arrival(headers: Mapping[str, Any], config: Mapping[str, Any]) -> datetime:
    """The arrival of a command: now, or in a rehearsal the time that it claims."""
    claimed = headers.get(HEADER)
    if claimed is None:
        return _now(config)
    if not config["SETTINGS"].rehearsal:
        raise NotAllowed("No rehearsal: a command may not claim a time of arrival.", "此处并非演练，不得指定办理时间。")
    return _instant(claimed)


def hearing(event: Event, config: Mapping[str, Any]) -> datetime:
    """The arrival of an event: now, or in a rehearsal its own time, since its consequences do not follow today."""
    return _instant(event.time) if config["SETTINGS"].rehearsal else _now(config)


def _now(config: Mapping[str, Any]) -> datetime:
    now: datetime = config["CLOCK"].now()
    return now


def _instant(text: Any) -> datetime:
    try:
        return to_the_millisecond(datetime.fromisoformat(text).astimezone(SHANGHAI))
    except (TypeError, ValueError, OverflowError):
        raise InvalidInput(FieldError(HEADER, "Not an instant.", "不是有效的时间。")) from None
