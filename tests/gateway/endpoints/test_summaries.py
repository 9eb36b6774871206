"""The summary of each endpoint: a sentence in English that begins with a verb, and one in Chinese."""

import inspect
import re

import pytest

from gateway.api.endpoint import Endpoint
from gateway.service import Gateway

ENDPOINTS = [
    pytest.param(entrypoint, id=f"{entrypoint.method} {entrypoint.url}")
    for _, method in inspect.getmembers(Gateway, inspect.isfunction)
    for entrypoint in sorted(getattr(method, "nameko_entrypoints", ()), key=lambda one: getattr(one, "url", ""))
    if isinstance(entrypoint, Endpoint)
]
RELATIVE = ("What", "Who", "Whoever", "Whatever", "How", "Those", "That", "One")


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_an_endpoint_has_a_summary_in_both_languages(endpoint):
    assert re.fullmatch(r"[A-Z][\x20-\x7e]+\.", endpoint.en)
    assert re.fullmatch(r"[^a-z]*[一-鿿].*。", endpoint.zh)


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_a_summary_begins_with_a_verb(endpoint):
    assert endpoint.en.split()[0] not in RELATIVE


def test_an_export_has_the_summary_of_its_question():
    by_url = {
        endpoint.values[0].url: endpoint.values[0] for endpoint in ENDPOINTS if endpoint.values[0].method == "GET"
    }

    for ending in ("csv", "xlsx"):
        export = by_url[f"/api/v1/plans/<year>/progress.{ending}"]
        assert (export.en, export.zh) == (by_url[export.url[: -len(ending) - 1]].en, "计划全部条目及其进度。")
