"""Webhooks over real connections: signed, tried again, delivered at least once by one gateway at a time."""

import base64
import hashlib
import hmac
import json
import socket
import ssl
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address

import eventlet
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from jsonschema import validate

from gateway.notifications import alert_requests, alert_watch, webhook_outbox, webhooks
from gateway.notifications.alert_requests import AlertRequestsProvider
from gateway.notifications.alert_rules import KpiObservation
from gateway.notifications.delivery import read_delivery, write_delivery
from gateway.notifications.status_changes import condition_of
from gateway.notifications.webhook_outbox import DELIVERIES, WebhookOutbox
from gateway.notifications.webhooks import SECRET, Undelivered, next_try, origin, origins, sign
from gateway.service import Gateway
from services.chassis.mongo import database
from tests.gateway.conftest import Http
from tests.gateway.examples import an_event
from tests.stack import MovableClock, until

OPERATOR = {"by": "u-op", "roles": ("operator",)}
RULE = {"name": "科普人次", "year": 2011, "kpis": ["K2"], "to": ["behind", "late", "reached"]}
NOON = datetime(2011, 5, 14, 4, tzinfo=UTC)


class Receiver(ThreadingHTTPServer):
    """Another system: keeps what it was sent and answers what a test says."""

    daemon_threads = True

    def __init__(self, context=None):
        super().__init__(("127.0.0.1", 0), Handler)
        self.taken, self.answers, self.wait = [], [], None
        if context:
            self.socket = context.wrap_socket(self.socket, server_side=True)
        self._serving = eventlet.spawn(self.serve_forever, 0.01)

    def handle_error(self, *_):
        """A caller that does not trust us breaks off."""

    @property
    def port(self):
        return self.server_address[1]

    @property
    def address(self):
        return f"http://127.0.0.1:{self.port}/hook?key=k-1"

    def close(self):
        self.shutdown()
        self._serving.wait()
        self.server_close()


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.taken.append((self.path, self.headers, body))
        if self.server.wait:
            self.server.wait.wait()
        status = self.server.answers.pop(0) if self.server.answers else 204
        self.send_response(status)
        self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        """Silent."""


@pytest.fixture
def receiver():
    made = Receiver()
    yield made
    made.close()


@pytest.fixture(autouse=True)
def _soon(monkeypatch):
    monkeypatch.setattr(alert_requests, "WATCH_EVERY", 0.1)
    monkeypatch.setattr(alert_watch, "LOOK_AGAIN", 3_600.0)  # once settled, the real KPIs are read when they change
    monkeypatch.setattr(alert_requests, "SEND_EVERY", 0.1)


@pytest.fixture
def gateway(running, receiver):
    running.settings = replace(running.settings, webhook_hosts=f"http://127.0.0.1:{receiver.port}")
    return Http(running.start(Gateway))


def make(gateway, **changed):
    response = gateway.ask("POST", "/api/v1/alerts/rules", body=RULE | changed)
    assert response.status == 201, response.content
    until(lambda: gateway.get(f"/api/v1/alerts/rules/{response.body['id']}").body["since"])
    return response.body


def become(gateway, rule, *statuses):
    """Have the rule see these statuses, each a second after the other; what it saw first is that 2011 is late."""
    kept = gateway.extension(AlertRequestsProvider)._alerts
    for status in statuses:
        kpi = {"code": "K2", "status": {"code": status}, "item": 35, "title": {"zh": "人次", "en": "Audience"}}
        kpi |= {"value": 300, "state": "value", "text": {"zh": "300人次", "en": "300 person-times"}}
        kpi["unit"] = {"zh": "人次", "en": "person-times", "scale": 1}
        gateway.running.clock.ahead += timedelta(seconds=1)
        at = gateway.running.clock.now().isoformat(timespec="seconds")
        observation = KpiObservation(at, 7, {"K2": condition_of(kpi, ())}, {"K2": kpi})
        until(lambda observation=observation: kept.note(active_rule(kept, rule["id"]), observation))


def active_rule(kept, id_):
    (rule,) = [rule for rule in kept.active_rules() if rule.id == id_]
    return rule


def listed(gateway, **asked):
    query = "&".join(f"{name}={value}" for name, value in asked.items())
    page = gateway.get(f"/api/v1/alerts/deliveries?{query}", **OPERATOR).body
    validate(page, DELIVERIES)
    return page["items"]


def in_state(gateway, state, tries):
    return until(lambda: [delivery for delivery in listed(gateway, state=state) if delivery["tries"] == tries])


def is_signed(headers, body, secret):
    """As a receiver checks it, with nothing of ours."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{headers['Webhook-Id']}.{headers['Webhook-Timestamp']}.".encode() + body
    signature = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    return headers["Webhook-Signature"] == f"v1,{signature}"


# --- from a change to the receiver -----------------------------------------------------------------------------------


def test_a_change_is_posted_signed_and_tried_again_until_it_is_taken(gateway, receiver):
    receiver.answers = [500, 302]
    rule = make(gateway, webhook=receiver.address)
    assert "secret" not in gateway.get(f"/api/v1/alerts/rules/{rule['id']}").body

    become(gateway, rule, "behind")
    (waits,) = in_state(gateway, "waiting", tries=1)
    assert (waits["last"]["outcome"], waits["to"]) == ("status 500", f"http://127.0.0.1:{receiver.port}")
    gateway.running.clock.ahead += timedelta(minutes=1)
    (waits,) = in_state(gateway, "waiting", tries=2)
    assert waits["last"]["outcome"] == "status 302"  # and nobody went elsewhere
    gateway.running.clock.ahead += timedelta(minutes=5)
    in_state(gateway, "delivered", tries=3)

    assert [path for path, _, _ in receiver.taken] == ["/hook?key=k-1"] * 3
    assert all(is_signed(headers, body, rule["secret"]) for _, headers, body in receiver.taken)
    assert len({headers["Webhook-Id"] for _, headers, _ in receiver.taken}) == 1
    assert len({body for _, _, body in receiver.taken}) == 1
    times = [int(headers["Webhook-Timestamp"]) for _, headers, _ in receiver.taken]
    assert times[1] - times[0] >= 60
    assert times[2] - times[1] >= 300


@pytest.mark.parametrize("dead", [["127.0.0.2"], ["::1", "127.0.0.3", "127.0.0.2"]])
def test_every_address_of_a_name_is_tried_and_the_name_looked_up_once(receiver, monkeypatch, dead):
    found, asked = socket.getaddrinfo, []

    def look_up(host, port, *how, **more):
        if host != "two.example":
            return found(host, port, *how, **more)
        asked.append(host)
        return [entry for address in (*dead, "127.0.0.1") for entry in found(address, port, type=socket.SOCK_STREAM)]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    send = partial(webhooks.send, body=b"{}", id_="w-1", secret=webhooks.make_secret(), now=NOON)

    assert send(f"http://two.example:{receiver.port}/hook") == 204
    assert asked == ["two.example"]
    with pytest.raises(Undelivered, match="ConnectionRefusedError"):
        send(f"http://two.example:{a_closed_port()}/hook")


def a_closed_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def test_what_is_posted_is_a_cloud_event_of_the_change(gateway, receiver):
    rule = make(gateway, webhook=receiver.address)

    gateway.take(an_event(person_times=200_000))

    _, headers, body = until(lambda: receiver.taken and receiver.taken[0])
    event = json.loads(body)
    (alert,) = gateway.get("/api/v1/alerts").body["items"]
    revision = gateway.get("/api/v1/kpis/K2").body["revision"]
    assert headers["Content-Type"].startswith("application/cloudevents+json")
    assert event == {
        "specversion": "1.0", "id": alert["id"], "source": "/gateway", "type": "kpi.status_changed",
        "subject": "2011/K2", "time": alert["at"], "datacontenttype": "application/json",
        "data": {
            "rule": rule["id"], "name": "科普人次", "year": 2011, "item": 35, "kpi": "K2",
            "title": {"zh": "接受科普宣传群众", "en": "Audience of science popularisation"}, "was": "late",
            "now": "reached", "value": 200_000, "state": "value", "revision": revision,
            "unit": {"zh": "人次", "en": "person-times", "scale": 1},
            "text": {"zh": "200,000人次", "en": "200,000 person-times"},
        },
    }  # fmt: skip
    assert headers["Webhook-Id"] == alert["id"]


@pytest.mark.usefixtures("second")
def test_of_several_gateways_one_delivers(gateway, receiver):
    rule = make(gateway, webhook=receiver.address)

    become(gateway, rule, "behind", "late", "behind", "reached", "late")

    until(lambda: len(listed(gateway, state="delivered")) == 5)
    assert len(receiver.taken) == 5


def test_what_a_gateway_had_in_hand_when_it_ended_is_delivered_by_the_next(gateway, receiver):
    answered = receiver.wait = eventlet.event.Event()
    rule = make(gateway, webhook=receiver.address)
    become(gateway, rule, "behind")
    until(lambda: receiver.taken)

    receiver.wait = None
    gateway.running.stop("gateway")
    answered.send()
    (delivery,) = gateway.running.database("gateway")["deliveries"].find()
    assert (delivery["state"], delivery["tries"], delivery["lease"] is None) == ("waiting", 0, False)
    over = {"$set": {"leased_until": {"$subtract": ["$$NOW", 1]}}}
    gateway.running.database("gateway")["deliveries"].update_one({}, [over])

    in_state(Http(gateway.running.start(Gateway)), "delivered", tries=1)
    assert len({headers["Webhook-Id"] for _, headers, _ in receiver.taken}) == 1
    assert len(receiver.taken) == 2


def test_a_receiver_that_does_not_answer_is_let_go_of_and_holds_up_no_other(gateway, receiver, monkeypatch):
    monkeypatch.setattr(webhooks, "TIMEOUT", 0.3)
    receiver.wait = eventlet.event.Event()
    rule = make(gateway, webhook=receiver.address)

    become(gateway, rule, "behind", "late")

    waiting = until(lambda: len(deliveries := in_state(gateway, "waiting", tries=1)) == 2 and deliveries)
    assert {delivery["last"]["outcome"] for delivery in waiting} == {"no answer in time"}
    receiver.wait.send()


def test_what_nobody_took_for_three_days_is_given_up_shown_and_tried_again_by_an_operator(gateway, receiver):
    receiver.answers = [503] * 16
    rule = make(gateway, webhook=receiver.address)
    become(gateway, rule, "behind")

    for tries, minutes in enumerate([1, 5, 30, 120, *[360] * 11], 1):
        in_state(gateway, "waiting", tries)
        gateway.running.clock.ahead += timedelta(minutes=minutes)
    (lost,) = until(lambda: listed(gateway, state="given_up"))
    assert (lost["next_at"], lost["last"]["outcome"]) == (None, "status 503")
    assert gateway.get(f"/api/v1/alerts/rules/{rule['id']}").body["state"] == "active"

    address = f"/api/v1/alerts/deliveries/{lost['id']}/again"
    assert gateway.post(address).status == 403
    receiver.answers = []
    assert gateway.post(address, **OPERATOR).body["state"] == "waiting"
    in_state(gateway, "delivered", tries=1)
    assert gateway.post("/api/v1/alerts/deliveries/x/again", **OPERATOR).status == 404
    assert gateway.get("/api/v1/alerts/deliveries", roles=("chair",)).status == 403


def test_a_webhook_goes_only_where_the_setting_allows(gateway, receiver):
    for address in (
        f"https://127.0.0.1:{receiver.port}/", f"http://127.0.0.1:{receiver.port + 1}/", "http://127.0.0.1/",
        f"http://x@127.0.0.1:{receiver.port}/", f"http://127.0.0.1:{receiver.port}/ x",
        f"http://127.0.0.1:{receiver.port}@evil.example/", "file:///etc/passwd", "x",
    ):  # fmt: skip
        response = gateway.ask("POST", "/api/v1/alerts/rules", body=RULE | {"webhook": address})
        (error,) = response.body["errors"]
        assert (response.status, error["field"]) == (400, "webhook"), address
        assert f"http://127.0.0.1:{receiver.port}" in error["en"]


def test_a_host_that_is_not_allowed_any_more_gets_nothing(gateway, receiver):
    rule = make(gateway, webhook=receiver.address)
    running = gateway.running
    running.stop("gateway")
    running.settings = replace(running.settings, webhook_hosts="example.org")
    gateway = Http(running.start(Gateway))

    become(gateway, rule, "behind")

    waiting = in_state(gateway, "waiting", tries=1)  # more than one where the gateway itself looked meanwhile
    assert {one["last"]["outcome"] for one in waiting} == {"not allowed by WEBHOOK_HOSTS"}
    assert receiver.taken == []


def test_deliveries_come_in_pages(gateway, receiver):
    rule = make(gateway, webhook=receiver.address)
    become(gateway, rule, "behind", "late", "behind")
    until(lambda: len(listed(gateway, state="delivered")) == 3)

    deliveries, cursor = [], ""
    while cursor is not None:
        page = gateway.get(f"/api/v1/alerts/deliveries?limit=2{f'&cursor={cursor}' if cursor else ''}", **OPERATOR).body
        deliveries, cursor = deliveries + page["items"], page["cursor"]

    assert deliveries == listed(gateway)
    assert len({delivery["id"] for delivery in deliveries}) == 3


# --- over https ------------------------------------------------------------------------------------------------------


@pytest.fixture
def certificate(tmp_path):
    """A certificate for 127.0.0.1 with its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "receiver")])
    now = datetime.now(tz=UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
        .not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    path = tmp_path / "receiver.pem"
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(private + made.public_bytes(Encoding.PEM))
    return path


def test_over_https_it_is_sent_to_whom_the_certificate_names_and_to_nobody_else(certificate, monkeypatch):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    receiver = Receiver(context)
    address, sender = f"https://127.0.0.1:{receiver.port}/", {"id_": "a-1", "secret": webhooks.make_secret()}
    webhooks._trust.cache_clear()
    with pytest.raises(Undelivered, match="SSLCertVerificationError"):
        webhooks.send(address, b"{}", now=NOON, **sender)

    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    webhooks._trust.cache_clear()
    assert webhooks.send(address, b"{}", now=NOON, **sender) == 204
    with pytest.raises(Undelivered, match="SSLCertVerificationError"):
        webhooks.send(address.replace("127.0.0.1", "localhost"), b"{}", now=NOON, **sender)

    assert len(receiver.taken) == 1
    webhooks._trust.cache_clear()
    receiver.close()


def test_a_receiver_that_is_not_there_is_a_failure_like_any_other(receiver):
    receiver.close()

    with pytest.raises(Undelivered, match="ConnectionRefusedError"):
        webhooks.send(receiver.address, b"{}", id_="a-1", secret=webhooks.make_secret(), now=NOON)
    with pytest.raises(Undelivered, match="gaierror"):
        webhooks.send("http://no-such-host.invalid/", b"{}", id_="a-1", secret=webhooks.make_secret(), now=NOON)


# --- pure ------------------------------------------------------------------------------------------------------------


def test_the_signature_is_that_of_the_standard():
    signed = sign(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        id_="msg_p5jXN8AQM9LWM0D4loKWxJek",
        timestamp=1_614_265_330,
        body=b'{"test": 2432232314}',
    )

    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_every_secret_is_another_one_of_32_bytes():
    secrets = {webhooks.make_secret() for _ in range(10)}

    assert len(secrets) == 10
    assert {len(base64.b64decode(secret.removeprefix(SECRET))) for secret in secrets} == {32}


def test_it_is_tried_again_after_1_5_30_and_120_minutes_then_every_6_hours_for_3_days():
    tries, now = [], NOON
    for failed in range(1, 100):
        at = next_try(failed, since=NOON, now=now)
        if at is None:
            break
        tries.append(at - now)
        now = at

    assert [pause.total_seconds() / 60 for pause in tries[:5]] == [1, 5, 30, 120, 360]
    assert set(tries[5:]) == {timedelta(hours=6)}
    assert timedelta(days=3) - timedelta(hours=6) < now - NOON <= timedelta(days=3)


def test_an_origin_is_scheme_host_and_port():
    assert origin("https://Example.org/hook?a=b") == origin("https://example.org:443") == "https://example.org:443"
    assert origin("http://example.org:8080/") == "http://example.org:8080"
    for wrong in (
        "", "example.org", "ftp://example.org", "https://", "https://a@b.org/", "https://a.org/#b", "https://a.org/\n",
        "https://a.org:99999/", "https://a.org:x/", "https://a.org/é", "https://a.org/" + "x" * 500,
    ):  # fmt: skip
        assert origin(wrong) is None, wrong


def test_http_is_allowed_only_where_the_setting_says_so():
    assert origins("a.org, http://b.org:8080,https://c.org,") == {
        "https://a.org:443", "http://b.org:8080", "https://c.org:443",
    }  # fmt: skip
    assert origins(None) == origins("") == frozenset()


def test_a_delivery_is_taken_by_one_until_its_lease_is_over(settings, monkeypatch):
    deliveries = database(settings, "gateway")["deliveries"]
    kept = WebhookOutbox(deliveries, MovableClock())
    kept.add_delivery("a-1", rule="r-1", address="https://a.org/", body=b"{}")
    assert (kept.take_delivery().id, kept.take_delivery()) == ("a-1", None)

    deliveries.update_one({}, [{"$set": {"leased_until": {"$subtract": ["$$NOW", 1]}}}])
    monkeypatch.setattr(webhook_outbox, "LEASE", 0.001)  # and is soon over by itself
    first = kept.take_delivery()
    again = until(kept.take_delivery)
    kept.note_delivered(first, status=200)  # too late: another one has it now
    assert kept.page({})["items"][0]["state"] == "waiting"
    kept.note_delivered(again, status=200)

    assert [(delivery["state"], delivery["tries"]) for delivery in kept.page({})["items"]] == [("delivered", 1)]
    assert kept.take_delivery() is None


def test_a_delivery_is_stored_as_every_earlier_version_stored_it(settings):
    deliveries = database(settings, "gateway")["deliveries"]
    kept = WebhookOutbox(deliveries, MovableClock())
    kept.add_delivery("a-1", rule="r-1", address="https://a.org/", body=b"{}")

    document = deliveries.find_one()

    made_at = document["made_at"]
    assert document == {
        "_id": "a-1", "rule": "r-1", "address": "https://a.org/", "body": b"{}", "state": "waiting", "tries": 0,
        "last": None, "made_at": made_at, "since": made_at, "next_at": made_at, "ended_at": None, "lease": None,
        "leased_until": None,
    }  # fmt: skip
    assert write_delivery(read_delivery(document)) == document
