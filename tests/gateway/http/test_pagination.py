"""Pages of lists: one row more is read than shown, and the cursor is that of the last row shown."""

from itertools import count, islice
from operator import itemgetter

import pytest

from gateway.http import pagination

ROWS = [{"no": no} for no in range(7)]


def a_page(rows, *, limit):
    asked = []

    def find(most):
        asked.append(most)
        return rows[:most]

    page = pagination.page(find, limit=limit, show=lambda row: row["no"], cursor=lambda row: str(row["no"]))
    return page, asked


def test_a_page_shows_its_rows_and_ends_at_the_last_of_them():
    page, _ = a_page(ROWS, limit=3)

    assert page == {"items": [0, 1, 2], "cursor": "2"}


def test_one_row_more_is_read_than_shown():
    _, asked = a_page(ROWS, limit=3)

    assert asked == [4]


@pytest.mark.parametrize("limit", [7, 8, 1_000])
def test_the_last_page_has_no_cursor_also_where_it_is_full(limit):
    page, _ = a_page(ROWS, limit=limit)

    assert page == {"items": list(range(7)), "cursor": None}


def test_a_list_without_rows_is_a_page_without_a_cursor():
    page, _ = a_page([], limit=3)

    assert page == {"items": [], "cursor": None}


def test_rows_may_come_one_by_one():
    page = pagination.page(
        lambda most: islice(({"no": no} for no in count()), most), limit=2, show=itemgetter("no"), cursor=repr
    )

    assert page == {"items": [0, 1], "cursor": "{'no': 1}"}
