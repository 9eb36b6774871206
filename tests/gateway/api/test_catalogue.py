"""The documents about endpoints as they are declared, shown on a few of them."""

from gateway.api import catalogue, openapi, problem_list
from gateway.api.catalogue import Route
from gateway.http import pagination
from gateway.http.json_schema import ANYTHING, TEXT, each, of_type
from gateway.http.pagination import PAGING
from services.chassis.tokens import READERS, ROLES
from services.contract import KINDS

PRIZE = KINDS["awards.external_result"]
BY_RECORDERS = {"summary": None, "roles": ["recorder"]}
SAID = {
    "awards": {
        "kinds": {"external_result": {"plural": PRIZE.plural, "about": "A prize.", "view": PRIZE.json_schema}},
        "commands": {
            "report_prize": {"kind": "external_result", "input": each(title=TEXT), **BY_RECORDERS},
            "report_medal": {"kind": "medal", "input": each(), **BY_RECORDERS},
        },
        "queries": {"history_of_external_result": {"roles": ["chair", "verifier"]}},
    }
}  # fmt: skip


def told(*routes, said=SAID):
    return openapi.document(catalogue.operations(routes, said), said)


def operation(*routes, path, method="get"):
    return told(*routes)["paths"][path][method]


def test_a_variable_of_an_address_is_a_parameter_and_what_is_asked_is_another():
    route = Route("kpi", "GET", "/api/v1/kpis/<code>", asks={"limit": pagination.LIMIT}, answers={200: each()})

    found = operation(route, path="/api/v1/kpis/{code}")

    assert [(one["name"], one["in"], one["required"]) for one in found["parameters"]] == [
        ("code", "path", True), ("limit", "query", False),
    ]  # fmt: skip
    assert (found["operationId"], found["tags"], found["summary"]) == ("kpi", ["kpis"], "Kpi")


def test_a_method_that_answers_in_several_forms_is_several_operations():
    found = told(
        Route("kpi", "GET", "/api/v1/kpis/<code>", answers={200: each()}),
        Route("kpi", "GET", "/api/v1/kpis/<code>.csv", answers={200: of_type("text/csv")}),
        Route("kpi", "GET", "/api/v1/kpis/<code>.xlsx", answers={200: ANYTHING}),
    )["paths"]

    content = {path: list(found[path]["get"]["responses"]["200"]["content"]) for path in found}
    assert content == {
        "/api/v1/kpis/{code}": ["application/json"],
        "/api/v1/kpis/{code}.csv": ["text/csv"],
        "/api/v1/kpis/{code}.xlsx": ["*/*"],
    }
    ids = [found[path]["get"]["operationId"] for path in content]
    assert ids == ["kpi_json", "kpi_csv", "kpi_xlsx"]


def test_a_summary_is_in_both_languages_and_names_the_kind_of_file():
    both = {"en": "List all plans.", "zh": "全部年度计划。"}

    listed, as_csv = catalogue.operations(
        (Route("plans", "GET", "/api/v1/plans", **both), Route("plans", "GET", "/api/v1/plans.csv", **both)), {}
    )

    assert listed.summary == "List all plans. 全部年度计划。"
    assert as_csv.summary == "List all plans, as CSV. 全部年度计划（CSV）。"


def test_a_record_is_described_in_the_words_of_its_contract():
    route = Route("record", "GET", "/api/v1/<service>/<plural>/<id_>", roles=("viewer",), for_each="record")

    found = operation(route, path="/api/v1/awards/external_results/{id}")

    assert found["summary"].startswith("Show one external result record. ")
    assert found["description"] == "A prize.\n\n角色 Roles: viewer"


def test_there_is_one_operation_for_each_command_that_the_contract_knows_the_kind_of():
    route = Route("command", "POST", "/api/v1/<service>/<command>", for_each="command", answers={202: each()})

    found = told(route)["paths"]

    assert list(found) == ["/api/v1/awards/report_prize"]
    told_of_it = found["/api/v1/awards/report_prize"]["post"]
    assert (told_of_it["x-roles"], told_of_it["summary"]) == (["recorder"], "Report prize")
    assert told_of_it["requestBody"]["required"]
    record = {"$ref": "#/components/schemas/awards.external_result"}
    assert told_of_it["responses"]["200"]["content"]["application/json"]["schema"] == record


def test_what_a_judge_may_command_answers_less_to_a_judge():
    by_judges = {**SAID["awards"]["commands"]["report_prize"], "roles": ["judge", "recorder"]}
    said = {"awards": {**SAID["awards"], "commands": {"report_prize": by_judges}}}
    route = Route("command", "POST", "/api/v1/<service>/<command>", for_each="command")

    (found,) = catalogue.operations([route], said)

    record, brief = found.answers[200]["anyOf"]
    assert record == {"$ref": "#/components/schemas/awards.external_result"}
    assert list(brief["properties"]) == ["id", "version", "state"]


def test_there_is_one_operation_for_each_query_that_says_what_it_asks_for():
    mine = {"summary": "Mine.", "roles": ["judge"], "input": each(edition_id=TEXT)}
    said = {"awards": {**SAID["awards"], "queries": {"my_sheets": mine, "list_prizes": {"roles": ["viewer"]}}}}
    route = Route("question", "GET", "/api/v1/<service>/questions/<question>", roles=ROLES, for_each="question")

    (found,) = catalogue.operations([route], said)

    assert (found.id, found.path, found.roles) == (
        "awards_my_sheets", "/api/v1/awards/questions/my_sheets", ("judge",)
    )  # fmt: skip
    assert [(one.name, one.place, one.is_needed) for one in found.parameters] == [("edition_id", "query", True)]


def test_who_may_is_who_may_here_and_there_and_a_service_that_says_nothing_of_a_query_lets_all_readers():
    routes = (
        Route("past", "GET", "/api/v1/<service>/<plural>/<id_>/history", roles=("chair",), for_each="history"),
        Route("page", "GET", "/api/v1/<service>/<plural>", for_each="list"),
    )

    listed, history = catalogue.matrix(catalogue.operations(routes, SAID))["operations"]

    assert (history["path"], history["roles"]) == ("/api/v1/awards/external_results/{id}/history", ["chair"])
    assert (listed["path"], listed["roles"]) == ("/api/v1/awards/external_results", list(READERS))


def test_a_list_in_another_form_answers_that_whole_and_is_filtered_alike():
    routes = (
        Route("page", "GET", "/api/v1/<service>/<plural>", for_each="list"),
        Route("page", "GET", "/api/v1/<service>/<plural>.csv", for_each="list", answers={200: of_type("text/csv")}),
    )

    as_json, as_csv = catalogue.operations(routes, SAID)

    assert [one for one in as_json.parameters if one.name not in PAGING] == list(as_csv.parameters)
    assert as_csv.answers == {200: of_type("text/csv")}


def test_problems_stand_beside_what_is_declared_and_only_where_they_can_be():
    well = Route("health", "GET", "/health", public=True, answers={200: each(), 503: each(stuck=TEXT)})
    login = Route("login", "POST", "/api/v1/login", public=True, answers={200: each()})

    read = operation(well, path="/health")["responses"]
    written = operation(login, path="/api/v1/login", method="post")["responses"]

    assert set(read["503"]["content"]) == {"application/json", "application/problem+json"}
    assert not {"401", "403", "409", "413"} & set(read)
    assert {"401", "403", "409", "413", "422"} <= set(written)
    assert "304" in read
    assert "304" not in written


def test_every_job_has_an_address_of_its_own_with_what_it_takes():
    begin = Route("begin", "POST", "/api/v1/operations/<job>", for_each="job", answers={202: each()})

    bodies = {path: found["post"]["requestBody"]["required"] for path, found in told(begin)["paths"].items()}

    assert bodies == {
        "/api/v1/operations/audit": False, "/api/v1/operations/rearm": True,
        "/api/v1/operations/rebuild": True, "/api/v1/operations/verify": False,
    }  # fmt: skip


def test_services_that_were_never_heard_are_named():
    assert "outreach, rural, members" in told()["info"]["description"]
    assert (
        "never heard"
        not in told(said=dict.fromkeys(("awards", "outreach", "rural", "members"), SAID["awards"]))["info"][
            "description"
        ]
    )


def test_a_rule_that_several_services_refuse_by_is_listed_once_and_says_nothing_that_a_browser_would_run():
    refusal = {"rule": "X-07", "name": "NotYet", "zh": "<b>不得</b>", "en": "Not\n    yet."}
    said = {"awards": {"refusals": [refusal]}, "rural": {"refusals": [refusal]}, "members": {}}

    (only,) = [one for one in problem_list.rules(said) if one.code == "X-07"]

    assert (only.by, only.en) == ("awards, rural", "Not yet.")
    assert "<td>&lt;b&gt;不得&lt;/b&gt;</td>" in problem_list.page(said).content.decode()
