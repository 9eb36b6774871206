"""The documents about the gateway, made by one that has heard of all services, and held against what it really does."""

import gzip
import html
import json
import re
import subprocess
import sys

import pytest
from eventlet.greenpool import GreenPool
from jsonschema import Draft202012Validator

from services.awards.service import Awards
from services.chassis.problem import PROBLEMS
from services.chassis.records import Records
from services.chassis.tokens import READERS, ROLES
from services.contract import KINDS
from services.contract.topology import SERVICES
from services.kernel import REFUSALS
from services.members.service import Members
from services.outreach.service import Outreach
from services.rural.service import Rural
from tests.gateway.everything import everything
from tests.gateway.examples import EXAMPLES, an_event
from tests.gateway.upstream.test_proxy import RESULT

STAFF = {"recorder", "verifier", "chair", "finance", "operator"}
AT_ONCE = 8
NO_ROOM = 503  # there are fewer exports at once than we ask for: asked again, alone
PATIENCE = 30.0  # seconds


@pytest.fixture(scope="module")
def five(addresses, keys):
    with everything(addresses, keys) as gateway:
        yield gateway


@pytest.fixture(scope="module")
def openapi(five):
    return five.get("/openapi.json", token="").body


@pytest.fixture(scope="module")
def asyncapi(five):
    return five.get("/asyncapi.json", token="").body


# --- OpenAPI ----------------------------------------------------------------------------------------------------------


@pytest.mark.timeout(180)
def test_the_openapi_document_is_valid(openapi):
    checked = subprocess.run(  # it takes seconds, in which nobody here could answer the broker
        (sys.executable, "-m", "openapi_spec_validator", "--schema", "3.1", "-"),
        input=json.dumps(openapi), capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_every_command_and_every_list_of_every_service_has_an_address_of_its_own(five, openapi):
    for service in SERVICES:
        said = five.running.call(service, "describe", timeout=PATIENCE)
        for name, command in said["commands"].items():
            told = openapi["paths"][f"/api/v1/{service}/{name}"]["post"]
            assert told["requestBody"]["content"]["application/json"]["schema"] == command["input"], name
            assert told["x-roles"] == [role for role in ROLES if role in command["roles"]], name
            assert {"200", "202", "409", "422"} <= told["responses"].keys()
            headers = {one["name"] for one in told["parameters"] if one["in"] == "header"}
            assert headers == {"Idempotency-Key", "If-Match"}
        for kind in said["kinds"].values():
            for path in ("", "/{id}", "/{id}/history"):
                assert "get" in openapi["paths"][f"/api/v1/{service}/{kind['plural']}{path}"]
    assert not [path for path in openapi["paths"] if "{plural}" in path or path.startswith("/api/v1/{service}")]


def test_a_list_names_what_it_can_be_filtered_and_ordered_by(openapi):
    told = openapi["paths"]["/api/v1/awards/external_results"]["get"]["parameters"]
    asked = {one["name"]: one["schema"] for one in told}

    assert asked["level"]["items"]["enum"] == ["province", "national"]
    assert asked["awarded_on"]["items"] == {"type": "string", "format": "date"}
    assert {"id", "-awarded_on"} <= set(asked["order"]["enum"])
    assert asked["limit"]["maximum"] == 1_000


def test_what_needs_a_token_says_so_and_what_is_public_does_too(openapi):
    assert openapi["paths"]["/api/v1/plans"]["get"]["security"] == []
    assert openapi["paths"]["/api/v1/kpis/{code}"]["get"]["security"] == [{"token": []}, {"session": []}]
    assert openapi["paths"]["/api/v1/operations/status"]["get"]["x-roles"] == ["operator"]
    assert "403" not in openapi["paths"]["/api/v1/plans"]["get"]["responses"]


def test_every_endpoint_says_what_it_answers_and_what_it_is_for(openapi):
    for path, methods in openapi["paths"].items():
        for method, told in methods.items():
            assert [status for status in told["responses"] if status.startswith("2")], (method, path)
            assert told["summary"], (method, path)
    ids = [told["operationId"] for methods in openapi["paths"].values() for told in methods.values()]
    assert len(ids) == len(set(ids))


# --- AsyncAPI ---------------------------------------------------------------------------------------------------------


def test_the_asyncapi_document_refers_to_nothing_that_is_not_there(asyncapi):
    assert asyncapi["asyncapi"] == "3.0.0"
    for reference in references(asyncapi):
        found = asyncapi
        for step in reference.removeprefix("#/").split("/"):
            found = found[step]
    for name, operation in asyncapi["operations"].items():
        assert operation["action"] in ("send", "receive"), name
        within = operation["channel"]["$ref"] + "/messages/"
        assert all(one["$ref"].startswith(within) for one in operation["messages"]), name
    for channel in asyncapi["channels"].values():
        assert channel["messages"]
        for message in channel["messages"].values():
            Draft202012Validator.check_schema(message["payload"])


def test_every_event_of_the_contract_has_a_channel_and_fits_it(asyncapi):
    sent = {name for name, one in asyncapi["operations"].items() if one["action"] == "send"}
    assert sent == {f"{kind.service}.{kind.routing_key(one)}" for kind in KINDS.values() for one in kind.happenings}

    for key in EXAMPLES:
        event = an_event(key)
        channel = asyncapi["channels"][f"{event.kind.service}.{event.routing_key}"]
        schema = channel["messages"]["event"]["payload"] | {"components": asyncapi["components"]}
        assert (channel["address"], channel["bindings"]["amqp"]["exchange"]["name"]) == (
            event.routing_key, f"{event.kind.service}.events",
        )  # fmt: skip
        Draft202012Validator(schema).validate(json.loads(event.write()))
        wrong = json.loads(event.write()) | {"source": "/sports"}
        assert not Draft202012Validator(schema).is_valid(wrong)


def test_every_method_that_a_service_answers_is_there_with_what_it_takes_and_answers(five, asyncapi):
    for service in SERVICES:
        said = five.running.call(service, "describe", timeout=PATIENCE)
        for name in (*said["commands"], *said["queries"]):
            assert asyncapi["operations"][f"rpc.{service}.{name}"]["reply"]["messages"], name

    reported = five.running.call("awards", "report_external_result", timeout=PATIENCE, **RESULT)
    channels = asyncapi["channels"]
    asked = channels["rpc.awards.report_external_result"]["messages"]["request"]["payload"]
    told = channels["replies"]["messages"]["awards.report_external_result"]["payload"]
    for schema, value in (
        (asked, {"args": [], "kwargs": RESULT}),
        (told, {"result": reported, "error": None}),
    ):
        Draft202012Validator(schema | {"components": asyncapi["components"]}).validate(value)


def references(value):
    if isinstance(value, dict):
        for name, one in value.items():
            if name == "$ref":
                yield one
            else:
                yield from references(one)
    elif isinstance(value, list):
        for one in value:
            yield from references(one)


# --- pages ------------------------------------------------------------------------------------------------------------


def test_the_docs_page_asks_nothing_of_the_internet_and_runs_no_script_of_its_own(five):
    page = five.get("/docs", token="")

    text = page.content.decode()
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "script-src 'self';" in page.headers["Content-Security-Policy"]
    assert not re.search(r"https?://|<script[^>]*>[^<]|\son\w+=|style=", text)
    for address in re.findall(r'(?:src|href)="([^"]+)"', text):
        assert five.get(address, token="").status == 200, address


def test_a_head_request_gets_the_headers_of_the_answer_and_no_body(five):
    for path in ("/openapi.json", "/api/v1/plans/2011", "/docs"):
        for headers in ({}, {"Accept-Encoding": "gzip"}):
            got, head = (five.ask(method, path, token="", headers=headers) for method in ("GET", "HEAD"))

            assert (head.status, head.content) == (200, b""), path
            for name in ("Content-Length", "Content-Encoding", "Content-Type", "ETag", "Vary"):
                assert head.headers[name] == got.headers[name], (path, name)


def test_the_files_of_a_page_are_kept_for_a_year_since_their_address_changes_with_them(five):
    (address,) = re.findall(r'src="([^"]+bundle[^"]+)"', five.get("/docs", token="").content.decode())

    plain = five.get(address, token="")
    packed = five.get(address, token="", headers={"Accept-Encoding": "gzip"})

    assert plain.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert plain.headers["Content-Type"].startswith("text/javascript")
    assert gzip.decompress(packed.content) == plain.content
    assert len(packed.content) < len(plain.content) / 3
    assert five.get(address, token="", headers={"If-None-Match": plain.headers["ETag"]}).status == 304
    assert five.get("/docs/assets/index.html", token="").status == 404


def test_the_page_of_problems_has_every_code_and_every_rule_in_both_languages(five):
    page = five.get("/problems", token="").content.decode()

    codes = {one.code for one in PROBLEMS.values() if hasattr(one, "code")} | {"method_not_allowed", "already_settled"}
    for code in codes:
        assert f'<tr id="{code}">' in page, code
    for refusal in REFUSALS:
        if refusal.__module__.startswith("services."):
            assert f'<tr id="{refusal.rule}">' in page, refusal.rule
            assert html.escape(refusal.zh) in page, refusal.rule


def test_the_page_of_roles_has_every_address_and_every_role(five, openapi):
    page = five.get("/roles", token="").content.decode()

    for path, methods in openapi["paths"].items():
        for method in methods:
            assert f"<code>{method.upper()} {path}</code>" in page
    (line,) = [line for line in page.splitlines() if "<code>POST /api/v1/awards/verify_external_result</code>" in line]
    assert [cell == "●" for cell in re.findall("<td>([^<]*)</td>", line)[-len(ROLES) :]] == [
        role == "verifier" for role in ROLES
    ]


def test_the_page_of_fields_has_every_field_of_every_record_with_its_class_and_its_readers(five):
    lines = five.get("/fields", token="").content.decode().splitlines()

    rows = [re.findall(r"<code>([^<]*)</code>", line) + re.findall(r'lang="en">(\w+)<', line) for line in lines]
    read_by = {(row[0], row[1]): (row[2], row[3:]) for row in rows if len(row) > 2}
    for service in (Awards, Members, Outreach, Rural):
        for records in vars(service).values():
            if isinstance(records, Records):
                classes = records.field_classes()
                told = {path: (one["class"], one["roles"]) for path, one in classes.described.items()}
                told |= {name: ("public", list(READERS)) for name in classes.kind.fields}
                assert {path: one for (kind, path), one in read_by.items() if kind == classes.kind.key} == told
    assert read_by["outreach.activity", "title"] == ("office", sorted(STAFF))
    assert read_by["awards.objection", "sealed"] == ("internal", [])


def test_every_tag_is_described(openapi):
    assert [tag["name"] for tag in openapi["tags"] if tag["description"] == tag["name"]] == []


# --- who may do what --------------------------------------------------------------------------------------------------


def test_the_matrix_has_every_operation_of_the_openapi_document(five, openapi):
    told = five.get("/api/v1/roles", token="").body

    listed = {(one["method"].lower(), one["path"]) for one in told["operations"]}
    assert told["roles"] == list(ROLES)
    assert listed == {(method, path) for path, methods in openapi["paths"].items() for method in methods}
    by_id = {one["id"]: set(one["roles"]) for one in told["operations"]}
    assert by_id["awards_verify_external_result"] == {"verifier"}
    for form in ("json", "csv", "xlsx"):
        assert by_id[f"awards_history_of_external_result_{form}"] == STAFF


@pytest.mark.timeout(300)
def test_every_cell_of_the_matrix_is_as_it_says(five):
    told = five.get("/api/v1/roles", token="").body
    cells = [(one, role) for one in told["operations"] for role in (*ROLES, None)]

    found = list(GreenPool(AT_ONCE).imap(lambda cell: status_and_caching(five, *cell), cells))

    wrong = [
        (one["method"], one["path"], role, got)
        for (one, role), (got, _) in zip(cells, found, strict=True)
        if not is_as_told(one, role, status_and_caching(five, one, role)[0] if got == NO_ROOM else got)
    ]
    assert wrong == []
    stored = {
        (one["method"], one["path"], status, caching)
        for (one, _), (status, caching) in zip(cells, found, strict=True)
        if caching != "no-store" and not (one["public"] and status == 200)
    }
    assert stored == set()
    assert any(status == 200 and not one["public"] for (one, _), (status, _) in zip(cells, found, strict=True))


def status_and_caching(gateway, one, role):
    """Send an empty request about nothing that exists, and return how it is answered; a stream is not read."""
    path = re.sub(r"\{[^}]+\}", "nothing", one["path"])
    headers = {"Authorization": f"Bearer {gateway.running.token(f'u-{role}', [role])}"} if role else {}
    connection = gateway.connect()
    connection.request(one["method"], path, None if one["method"] == "GET" else b"{}", headers)
    got = connection.getresponse()
    connection.close()
    return got.status, got.headers["Cache-Control"]


def is_as_told(one, role, got):
    if one["public"]:
        return got not in (401, 403)
    if role is None:
        return got == 401
    return got not in (401, 403) if role in one["roles"] else got == 403
