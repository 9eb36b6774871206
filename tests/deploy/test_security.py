"""The table of threats does not lie: every test that it names is there, and no threat is without one."""

import ast
import re

import pytest

from deploy.secrets.private_files import CHECKOUT

PAGE = (CHECKOUT / "deploy/SECURITY.md").read_text()
ROW = re.compile(r"^\| (?!threat |---)(.+) \| (.+) \| (.+) \|$", re.MULTILINE)
TEST = re.compile(r"`(tests/[a-z0-9_/]+\.py)::(test_\w+)`")
ROWS = ROW.findall(PAGE)


def functions_of(file):
    return {node.name for node in ast.parse((CHECKOUT / file).read_text()).body if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize(("threat", "stopped_by", "tests"), ROWS)
def test_a_threat_is_stopped_by_something_and_a_test_shows_it(threat, stopped_by, tests):
    assert re.match("(engine|door|code)( and (engine|door|code))*: ", stopped_by), threat
    assert TEST.sub("", tests).strip(", ") == "", threat
    assert [f"{file}::{name}" for file, name in TEST.findall(tests) if name not in functions_of(file)] == []


def test_the_table_has_rows_and_the_page_says_what_is_not_defended_and_where_to_report():
    assert len(ROWS) > 20
    for heading in ("## Not defended against", "## Report a hole"):
        assert PAGE.partition(heading)[2].strip()
