"""A judge at the gateway: acts, asks about own sheets, and reads no record whatever the address (A-12, A-13)."""

import pytest

from tests.awards.jury import EDITION, Jury
from tests.stack import until


@pytest.fixture
def gateway(gateway):
    Jury(gateway.running).seat("p-1", "p-2")
    until(lambda: "/api/v1/awards/questions/my_sheets" in gateway.get("/openapi.json").body["paths"])
    return gateway


def ask(gateway, path, roles=("judge",)):
    return gateway.get(path, by="p-1", roles=roles)


@pytest.mark.rule("A-12", "A-13")
def test_a_judge_sees_own_sheets_accepts_one_and_scores_it_through_the_gateway(gateway):
    asked = ask(gateway, f"/api/v1/awards/questions/my_sheets?edition_id={EDITION}")
    sheets = asked.body["sheets"]
    sheet = {"sheet_id": sheets[0]["id"]}
    as_judge = {"by": "p-1", "roles": ["judge"]}

    accepted = gateway.post("/api/v1/awards/accept_sheet", sheet, **as_judge)
    scores = [{"criterion_code": "innovation", "points": "80"}]
    scored = gateway.post("/api/v1/awards/submit_score", sheet | {"scores": scores}, **as_judge)

    assert asked.headers["Cache-Control"] == "no-store"
    assert accepted.body == {"id": sheet["sheet_id"], "version": 2, "state": "accepted"}
    assert (scored.status, scored.body["state"], scored.headers["ETag"]) == (200, "scored", '"3"')
    assert ask(gateway, "/api/v1/me").status == 200


@pytest.mark.rule("A-12", "A-13")
@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/awards/entries",
        "/api/v1/awards/entries.csv",
        "/api/v1/awards/entries/n-1",
        "/api/v1/awards/entries/n-1/history",
        "/api/v1/awards/score_sheets",
        "/api/v1/awards/editions",
        "/api/v1/records/awards/entry/n-1/history",
        "/api/v1/kpis/K1/records",
        "/api/v1/kpis/K1/records.xlsx",
        "/api/v1/kpis/K1?by=district",
        f"/api/v1/awards/questions/conflicts_of?edition_id={EDITION}&judge_id=p-1",
    ],
)
def test_a_judge_reads_no_record(gateway, path):
    assert ask(gateway, path).status == 403


def test_what_is_wrong_with_a_question_is_said_and_an_unknown_one_is_not_there(gateway):
    url = "/api/v1/awards/questions"

    lacking = ask(gateway, f"{url}/my_sheets")
    unknown = ask(gateway, f"{url}/my_sheets?edition_id={EDITION}&colour=red")
    no_number = ask(gateway, f"{url}/ranking_of_my_entries?edition_id={EDITION}&round_no=one")
    too_early = ask(gateway, f"{url}/ranking_of_my_entries?edition_id={EDITION}&round_no=1")

    assert [(one.status, one.body["errors"][0]["field"]) for one in (lacking, unknown, no_number)] == [
        (400, "edition_id"), (400, "colour"), (400, "round_no"),
    ]  # fmt: skip
    assert (too_early.status, too_early.body["code"]) == (422, "A-12")
    assert ask(gateway, f"{url}/their_sheets").status == 404
