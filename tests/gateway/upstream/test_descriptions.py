"""The last description of each service is stored, and read by a gateway that starts while the service is away."""

from gateway.service import Gateway
from services.awards.service import Awards
from tests.gateway.conftest import Http
from tests.stack import until


def test_a_service_that_is_away_is_documented_as_it_was_heard_last_and_one_never_heard_is_named(running):
    gateway = Http(running.start(Awards, Gateway))
    until(lambda: "/api/v1/awards/external_results" in gateway.get("/openapi.json").body["paths"])
    running.stop("awards")
    running.stop("gateway")

    document = Http(running.start(Gateway)).get("/openapi.json").body

    assert "/api/v1/awards/report_external_result" in document["paths"]
    assert "These services were never heard" in document["info"]["description"]
    assert "outreach, rural, members" in document["info"]["description"]
