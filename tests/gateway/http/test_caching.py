"""Entity tags, gzip, 304 and headers of every response, shown on requests without a network."""

import gzip
import json

import pytest
from werkzeug.test import EnvironBuilder

from gateway.http.caching import LARGEST_AT_ONCE, SMALLEST, compress, finish
from gateway.http.errors import error_response
from gateway.http.messages import Reply, Request
from services.chassis.problem import Conflict

LONG = {"词": "科" * 2_000}


def asked(method="GET", **headers):
    told = {name.replace("_", "-"): value for name, value in headers.items()}
    return Request(EnvironBuilder(method=method, headers=told).get_environ())


def answered(body, *, public=False, request=None, **reply):
    response = Reply(body, **reply).response()
    finish(response, request or asked(), public=public)
    return response


def test_whoever_names_the_tag_of_what_it_has_gets_304_and_no_body():
    first = answered({"a": 1})
    tag = first.headers["ETag"]

    for has in (tag, f"W/{tag}", f'"x", {tag}', "*"):
        again = answered({"a": 1}, request=asked(If_None_Match=has))
        assert (again.status_code, again.get_data(), again.headers["ETag"]) == (304, b"", tag), has
    assert answered({"a": 2}, request=asked(If_None_Match=tag)).status_code == 200
    assert answered({"a": 1}, request=asked("HEAD", If_None_Match=tag)).status_code == 304


def test_a_tag_is_strong_and_the_same_for_the_same_bytes_and_another_one_packed():
    plain, packed = answered(LONG), answered(LONG, request=asked(Accept_Encoding="gzip"))

    assert plain.headers["ETag"] == answered(LONG).headers["ETag"]
    assert plain.headers["ETag"].startswith('"')
    assert packed.headers["ETag"] == plain.headers["ETag"].removesuffix('"') + '-gzip"'
    known = asked(Accept_Encoding="gzip", If_None_Match=packed.headers["ETag"])
    assert answered(LONG, request=known).status_code == 304


def test_an_answer_that_differs_in_its_moment_alone_is_unchanged():
    first, packed = {**LONG, "as_of": "2011-05-14T10:00:00.000+08:00"}, asked(Accept_Encoding="gzip")
    later = {**first, "as_of": "2011-05-14T10:00:00.250+08:00"}
    tag = answered(first).headers["ETag"]

    assert tag.startswith('W/"')
    assert answered(later).headers["ETag"] == tag
    assert answered(later, request=asked(If_None_Match=tag)).status_code == 304
    assert answered(later, request=packed).headers["ETag"] != tag
    assert answered({**later, "value": 1}, request=asked(If_None_Match=tag)).status_code == 200


def test_a_record_keeps_the_tag_of_its_version_and_stays_as_it_is():
    wanted = asked(Accept_Encoding="gzip")

    one = answered(LONG, headers={"ETag": '"3"'}, request=wanted)

    assert (one.headers["ETag"], one.headers.get("Content-Encoding")) == ('"3"', None)
    assert answered(LONG, headers={"ETag": '"3"'}, request=asked(If_None_Match='"3"')).status_code == 304


@pytest.mark.parametrize("length", [SMALLEST + 1, LARGEST_AT_ONCE + 1])
def test_what_is_long_is_packed_where_that_is_wanted(length):
    text = "科".encode() * (length // 3 + 1)

    packed = answered(text, content_type="text/plain", request=asked(Accept_Encoding="br, gzip;q=0.5"))
    plain = answered(text, content_type="text/plain", request=asked(Accept_Encoding="gzip;q=0"))

    assert (packed.headers["Content-Encoding"], gzip.decompress(packed.get_data())) == ("gzip", text)
    assert packed.headers["Content-Length"] == str(len(packed.get_data()))
    assert (plain.headers.get("Content-Encoding"), plain.get_data()) == (None, text)


def test_what_is_short_or_packed_already_or_no_text_is_left_as_it_is():
    wanted = asked(Accept_Encoding="gzip")
    for reply in (
        {"body": b"x" * SMALLEST, "content_type": "text/plain"},
        {"body": b"x" * LARGEST_AT_ONCE, "content_type": "image/png"},
        {"body": b"x" * LARGEST_AT_ONCE, "content_type": "text/plain", "headers": {"Content-Encoding": "br"}},
    ):
        body = reply.pop("body")
        assert answered(body, request=wanted, **reply).get_data() == body


def test_what_was_compressed_before_is_not_compressed_again():
    before = compress(b"once" * LARGEST_AT_ONCE)

    sent = answered(
        b"once" * LARGEST_AT_ONCE, content_type="text/css", compressed=before, request=asked(Accept_Encoding="gzip")
    )

    assert sent.get_data() is before


def test_a_stream_goes_out_as_it_is():
    pieces = iter([b"x" * LARGEST_AT_ONCE] * 3)

    response = answered(pieces, content_type="text/csv", request=asked(Accept_Encoding="gzip"))

    assert response.response is pieces
    assert not {"ETag", "Content-Encoding", "Content-Length"} & set(response.headers.keys())
    assert response.headers["X-Content-Type-Options"] == "nosniff"


def test_only_what_is_read_and_public_may_be_kept():
    private, public, written = answered({}), answered({}, public=True), answered({}, request=asked("POST"))
    refused = error_response(Conflict(), asked(), route="-")
    finish(refused, asked(), public=False)

    assert [one.headers["Cache-Control"] for one in (private, public, written, refused)] == [
        "no-store", "public, no-cache", "no-store", "no-store",
    ]  # fmt: skip
    assert "ETag" not in written.headers
    assert "ETag" not in refused.headers
    assert set(private.vary) == {"Accept-Encoding", "Authorization", "Cookie"}
    assert set(public.vary) == {"Accept-Encoding"}
    assert "Accept-Language" in refused.vary
    assert json.loads(refused.get_data())["code"] == "conflict"


def test_every_answer_keeps_browsers_from_guessing_framing_and_telling_and_a_page_may_say_more():
    headers = answered({}).headers
    page = answered(b"<p>", content_type="text/html", headers={"Content-Security-Policy": "default-src 'self'"})

    assert (headers["X-Content-Type-Options"], headers["X-Frame-Options"]) == ("nosniff", "DENY")
    assert headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert page.headers.getlist("Content-Security-Policy") == ["default-src 'self'"]
