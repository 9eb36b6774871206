"""Pages of lists: how they are read and cut, their size, and the cursors at which they begin."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import UTC, date, datetime
from typing import Any, TypeVar

from gateway.http.parameters import InvalidValue, Parameter, Reader
from services.contract import wire

PAGE = 100

LONGEST_PAGE = 1_000

Row = TypeVar("Row")


def page(
    find: Callable[[int], Iterable[Row]],
    *,
    limit: int = PAGE,
    show: Callable[[Row], Any],
    cursor: Callable[[Row], str],
) -> dict[str, Any]:
    """Answer a page: its `items` as `show` makes them, and the `cursor` at which the next page begins.

    `find` reads that many rows in the order of the list. One row more than `limit` is read: it only tells that there is
    another page. The cursor is made of the last row that is shown, and is None on the last page.

        pagination.page(
            lambda most: self._users.find({"login": {"$gt": after}}).sort("login").limit(most),
            limit=params.get("limit", PAGE), show=public_view, cursor=itemgetter("login"),
        )
    """
    rows = list(find(limit + 1))
    shown = rows[:limit]
    return {"items": [show(row) for row in shown], "cursor": cursor(shown[-1]) if len(rows) > limit else None}


def limit(text: str) -> int:
    """Read the size of a page."""
    number = int(text) if text.isascii() and text.isdigit() and len(text) <= 4 else 0
    if not 1 <= number <= LONGEST_PAGE:
        raise InvalidValue(f"A whole number from 1 to {LONGEST_PAGE}.", f"须为 1 至 {LONGEST_PAGE} 的整数。")
    return number


def write_cursor(day: str, record: str) -> str:
    """Write the day and the record with which a page ended, as `cursor` reads them."""
    return base64.urlsafe_b64encode(wire.encode([day, record])).decode()


def cursor(text: str) -> tuple[str, str]:
    """Read the day and the record with which the last page ended."""
    try:
        day, record = wire.decode(base64.urlsafe_b64decode(text))
        date.fromisoformat(day)
    except (binascii.Error, wire.BrokenJson, ValueError, TypeError):
        record = None
    if not isinstance(record, str):
        raise InvalidValue("Not a cursor of this list.", "不是此列表的游标。")
    return day, record


def write_mark(*parts: Any) -> str:
    """Write the values with which a page ended, as `mark` reads them."""
    return base64.urlsafe_b64encode(wire.encode(parts)).decode()


def mark(*types: type) -> Reader:
    """Make a reader of cursors with values of these types; an instant is written as text."""

    def read_mark(text: str) -> list[Any]:
        with suppress(binascii.Error, wire.BrokenJson, ValueError, TypeError, OverflowError):
            values = wire.decode(base64.b64decode(text, altchars=b"-_", validate=True))
            parts = [
                datetime.fromisoformat(part).astimezone(UTC) if kind is datetime else part
                for part, kind in zip(values, types, strict=True)
            ]
            if all(type(part) is kind for part, kind in zip(parts, types, strict=True)):
                return parts
        raise InvalidValue("Not a cursor of this list.", "不是此列表的游标。")

    return read_mark


LIMIT = Parameter(
    limit, "At most so many items on a page.", "每页至多几条。",
    {"type": "integer", "minimum": 1, "maximum": LONGEST_PAGE, "default": PAGE},
)  # fmt: skip

CURSOR = Parameter(cursor, "The cursor of the previous page.", "上一页末尾的游标。")

THEIR_CURSOR = Parameter(str, CURSOR.en, CURSOR.zh)

PAGING = ("cursor", "limit", "revision")
"""Parameters of a single page, which an export of all pages does not take."""
