"""The demo's table: shares only of targets, which come first, in the 80 columns of a terminal."""

from io import StringIO

import pytest
from rich.cells import cell_len
from rich.console import Console

from deploy.demo.progress_table import BAR, table
from gateway.kpi.answers import unit
from gateway.plans import plan_file
from gateway.reporting.plan_history import PLANS

FILE = PLANS / "2011.yaml"
PLAN = plan_file.read(FILE.name, FILE.read_bytes())
LARGEST = 12_345_678


def a_kpi(kpi):
    """A number of the plan as the gateway answers it, as large as numbers of a municipality become."""
    unit_ = unit(kpi.unit)
    target = max((one.value for one in kpi.targets), default=None)
    value = LARGEST * unit_["scale"]
    return {
        "code": kpi.code,
        "title": {"zh": kpi.title.zh, "en": kpi.title.en},
        "unit": unit_,
        "value": value,
        "target": target,
        "percent": None if target is None else min(value / target * 100, 9_999.9),
        "reported": {"value": value} if kpi.reported else None,
    }


PROGRESS = {"items": [{"kpis": [a_kpi(kpi)]} for _, kpi in PLAN.kpis()]}


@pytest.fixture(scope="module")
def lines():
    screen = StringIO()
    Console(file=screen, width=80).print(table(PROGRESS))
    return screen.getvalue().splitlines()[2:]  # without title and headings


@pytest.fixture(scope="module")
def rows(lines):
    """The lines of each row by its code, in their order."""
    found = {}
    for line in lines:
        code = line.split()[0] if line[0] != " " else list(found)[-1]
        found.setdefault(code, []).append(line)
    return found


def test_every_row_fits_80_columns_and_no_title_takes_more_than_two_lines(lines, rows):
    assert max(map(cell_len, map(str.rstrip, lines))) <= 80
    assert max(map(len, rows.values())) <= 2
    for kpi in (kpi for item in PROGRESS["items"] for kpi in item["kpis"]):
        text = "".join(line[4:] for line in rows[kpi["code"]])
        assert f"{LARGEST:,}" in text
        assert set(kpi["title"]["zh"]) - {" "} <= set(text)


def test_rows_with_targets_come_first_and_only_they_have_a_share_and_a_bar(rows):
    with_target = [kpi["code"] for item in PROGRESS["items"] for kpi in item["kpis"] if kpi["target"] is not None]
    bars = {code: sum(line.count("█") + line.count("░") for line in rows[code]) for code in rows}

    assert list(rows)[: len(with_target)] == sorted(with_target)
    assert bars == {code: BAR if code in with_target else 0 for code in rows}
    assert len(with_target) == 6
    assert rows["N4b"][0].rstrip().endswith(f"{LARGEST:,} 元")


def test_what_is_not_known_is_no_0():
    screen = StringIO()
    k1 = next(a_kpi(kpi) for _, kpi in PLAN.kpis() if kpi.code == "K1")

    Console(file=screen, width=80).print(
        table({"items": [{"kpis": [k1 | {"value": None, "percent": None, "reported": {"value": None}}]}]})
    )

    assert screen.getvalue().splitlines()[-1].split()[2:] == ["-", "个", "60", "0.0", "░" * BAR, "-"]
