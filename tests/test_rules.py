"""Every rule that the code refuses by has a test that says so, and no test names a rule that cannot be one."""

import ast
import importlib
import re
from pathlib import Path

import pytest

import services
from services.kernel import REFUSALS

SERVICES = Path(services.__file__).parent
TESTS = Path(__file__).parent

CODE = re.compile(r"[AORMXG]-[0-9]{2}")
SHARED = {f"X-{number:02}" for number in range(1, 13)}


def refusals():
    """The rules that the code refuses by, each with the names of its refusals."""
    for module in SERVICES.glob("*/domain/*.py"):
        importlib.import_module(".".join(["services", module.parts[-3], "domain", module.stem]))
    found = {}
    for refusal in REFUSALS:
        found.setdefault(refusal.rule, set()).add(refusal.__name__)
    return found


def marked():
    """The rules that tests are marked with, each with the files of these tests."""
    found = {}
    for path in sorted(TESTS.rglob("test_*.py")):
        for code in codes_marked(ast.parse(path.read_text(encoding="utf-8")), "rule"):
            found.setdefault(code, set()).add(str(path.relative_to(TESTS)))
    return found


def test_every_rule_that_the_code_refuses_by_has_a_test():
    tested = marked()

    assert {rule: names for rule, names in refusals().items() if rule not in tested} == {}


def test_every_rule_that_all_services_share_has_a_test():
    assert SHARED - set(marked()) == set()


def test_every_rule_that_a_test_names_has_the_form_of_a_rule():
    misspelt = {code: files for code, files in marked().items() if not CODE.fullmatch(str(code))}

    assert misspelt == {}


def test_every_refusal_says_its_rule_in_one_english_sentence_and_in_chinese():
    refusals()
    for refusal in REFUSALS:
        assert CODE.fullmatch(refusal.rule), refusal
        assert re.fullmatch(r"[A-Z][^.]*(\.[^. ][^.]*)*\.", refusal().en.replace("\n    ", " ")), refusal
        assert re.search("[\u4e00-\u9fff]", refusal.zh), refusal


@pytest.mark.parametrize("source", ['@pytest.mark.rule("A-26", "X-05")\ndef test_it(): pass'])
def test_a_marker_is_found_with_all_its_rules(source):
    assert list(codes_marked(ast.parse(source), "rule")) == ["A-26", "X-05"]


def codes_marked(tree, marker):
    """What the tests of a file are marked with."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == f"pytest.mark.{marker}":
            yield from (ast.literal_eval(code) for code in node.args)
