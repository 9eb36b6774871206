"""Pages: every value is text whatever it contains, and no page asks for a name that it was not given."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from jinja2 import UndefinedError

import gateway
from gateway.api import problem_list
from gateway.api.catalogue import Operation
from gateway.api.role_matrix import page as role_matrix
from gateway.http.messages import Reply
from gateway.pages import rendering
from gateway.public import certificates, notice_board
from services.chassis.problem import NotFound
from services.contract import awards

HOSTILE = "\"'><script>alert(1)</script><img src=x onerror=alert(1)>{{ 7 * 7 }}${7 * 7}&amp;"
LINE = {"line_no": 1, "grade": "second", "subject_type": "entry", "subject_id": HOSTILE, "state": "proposed"}
NOTICE = {
    "service": "awards", "kind": "notice", "id": "n-1", "programme_kind": "paper", "level": "city",
    "edition_no": 10, "year": 2011, "starts_at": "2011-05-01T00:00:00+08:00", "ends_at": "2011-05-08T00:00:00+08:00",
    "office_line": HOSTILE, "url": f"http://lskx.example/{HOSTILE}", "lines": [LINE], "state": "running",
}  # fmt: skip


class Elements(HTMLParser):
    """The elements of a page with their attributes, and its text, as a browser reads them."""

    def __init__(self, document):
        super().__init__()
        self.tags, self.attributes, self.text = [], [], ""
        self.feed(document.content.decode())

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.attributes += [(tag, *attribute) for attribute in attributes]

    def handle_data(self, text):
        self.text += text

    def values(self, tag, name):
        return [value for of, called, value in self.attributes if (of, called) == (tag, name)]

    @property
    def runs_foreign_script(self):
        is_ours = all(source.startswith("/docs/assets/") for source in self.values("script", "src"))
        return not is_ours or "img" in self.tags or any(name.startswith("on") for _, name, _ in self.attributes)


def a_board(**changes):
    kind = awards.Notice.kind
    defaults = {name: 1 if field.type is int else "x" for name, field in kind.fields.items()}
    notice = defaults | NOTICE | changes
    return Elements(notice_board.page({"items": [notice], "cursor": HOSTILE}, ended=False))


# --- what others wrote is text ----------------------------------------------------------------------------------------


def test_a_notice_with_hostile_values_is_shown_as_it_was_written():
    page = a_board()

    assert not page.runs_foreign_script
    assert page.tags.count("script") == 0
    assert page.text.count(HOSTILE) == 3  # the office line, the address, and the line's subject
    assert f"http://lskx.example/{HOSTILE}" in page.values("a", "href")


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "JavaScript:alert(1)", "data:text/html,x", "//x", "httpx:y", ""]
)
def test_an_address_that_is_not_of_the_web_is_no_link(url):
    page = a_board(url=url)

    assert url in page.text
    assert all(link.startswith("/") and not link.startswith("//") for link in page.values("a", "href"))


def test_a_rule_with_hostile_words_is_text():
    refusal = {"rule": HOSTILE, "zh": HOSTILE, "en": HOSTILE}

    page = Elements(problem_list.page({"awards": {"refusals": [refusal]}}))

    assert not page.runs_foreign_script
    assert page.text.count(HOSTILE) == 3
    assert HOSTILE in page.values("tr", "id")


def test_a_summary_with_hostile_words_is_text():
    operation = Operation("x", "x", "GET", "/x", summary=HOSTILE, public=False, roles=("viewer",))

    page = Elements(role_matrix([operation]))

    assert not page.runs_foreign_script
    assert HOSTILE in page.text


def test_words_for_a_script_are_one_attribute_whatever_they_contain():
    page = Elements(rendering.page("/certificates", words={"second": HOSTILE, "first": "“x”"}))

    (words,) = page.values("dl", "data-words")
    assert json.loads(words) == {"second": HOSTILE, "first": "“x”"}
    assert list(json.loads(words)) == ["second", "first"]
    assert not page.runs_foreign_script


def test_the_page_of_certificates_has_words_for_every_answer():
    (words,) = Elements(certificates.page()).values("dl", "data-words")

    assert set(json.loads(words)) == {"states", "fields", "values"}
    assert set(json.loads(words)["fields"]) == set(certificates.CHECKED["properties"]) - {"state"}


# --- templates and files ----------------------------------------------------------------------------------------------


def test_a_name_that_a_page_was_not_given_is_an_error_and_not_a_gap():
    with pytest.raises(UndefinedError, match="codes"):
        rendering.page("/problems", rules=[])


def test_every_page_has_the_policy_and_says_where_it_is():
    for address in ("/docs", "/certificates"):
        document = rendering.page(address, words={})
        page = Elements(document)

        assert document.headers == {"Content-Security-Policy": rendering.CONTENT_SECURITY_POLICY}
        assert page.values("a", "href") == [*rendering.NAVIGATION, *["/openapi.json"] * (address == "/docs")]
        current = re.findall(r'<a href="([^"]+)" aria-current="page">', document.content.decode())
        assert current == [address]


def test_only_files_of_pages_are_read():
    for name in ("index.html", "../rendering.py", "..%2frendering.py", ""):
        with pytest.raises(NotFound):
            rendering.asset(name)


def test_an_address_of_a_file_changes_with_its_content():
    reply = rendering.asset("pages.css").reply()

    assert isinstance(reply, Reply)
    assert rendering.asset_address("pages.css").endswith(f"?v={rendering.asset('pages.css').digest}")
    assert len({rendering.asset_address(name).partition("=")[2] for name in rendering.OWN_ASSETS}) == 3


def test_no_module_puts_html_together_from_strings():
    folder = Path(gateway.__file__).parent

    wrong = [
        str(path.relative_to(folder))
        for path in folder.rglob("*.py")
        if re.search(r"</?(td|tr|th|p|a|h[1-6]|span|table|div)\b[^>]*>|from html import escape", path.read_text())
        and "imports/sheets" not in str(path)  # which read the XML of workbooks
    ]
    assert wrong == []
