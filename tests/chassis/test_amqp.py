"""Connections to the broker: which of its nodes is asked, and who reads what it says."""

import select
import ssl
from dataclasses import replace

import pytest
from amqp.basic_message import Message
from amqp.exceptions import PreconditionFailed

from deploy.secrets.certificate_authority import Authority
from services.chassis.amqp import BROKEN, connect
from tests.chassis.proxy import Proxy
from tests.stack import until

NOBODY = "amqp://127.0.0.1:1//"


def test_any_node_that_lets_us_in_is_good_enough(settings):
    several = replace(settings, amqp_uri=f"{NOBODY};{settings.amqp_uri};{NOBODY}")

    for _ in range(10):
        connection = connect(several, "tests.nodes")
        assert connection.connected
        connection.collect()


def test_where_no_node_lets_us_in_the_last_refusal_is_told(settings):
    with pytest.raises(BROKEN):
        connect(replace(settings, amqp_uri=f"{NOBODY};{NOBODY}"), "tests.nodes")


def test_who_writes_leaves_reading_to_who_reads(settings):
    connection = connect(settings, "tests.writer")
    channel = connection.default_channel
    channel.basic_ack(1)  # of nothing, so that the broker closes the channel
    until(lambda: select.select([connection.connection.sock], [], [], 0)[0])

    channel.basic_publish(Message(b"{}"), routing_key="nowhere")

    with pytest.raises(PreconditionFailed):
        connection.drain_events(timeout=5)
    connection.collect()


@pytest.fixture
def authority(tmp_path, monkeypatch):
    """Whom this process trusts."""
    made = Authority.new()
    (tmp_path / "ca.pem").write_text(made.certificate)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
    return made


def certificate(tmp_path, text):
    file = tmp_path / "server.pem"
    file.write_text(text)
    return file


def test_a_broker_that_proves_its_name_is_spoken_with_over_tls(settings, authority, tmp_path):
    with Proxy(settings.amqp_uri, certificate(tmp_path, authority.issue(["127.0.0.1"]))) as broker:
        connection = connect(replace(settings, amqp_uri=broker.amqp_uri), "tests.tls")
        connection.default_channel.queue_declare("", exclusive=True)
        assert connection.connection.sock.version() == "TLSv1.3"
        connection.collect()


@pytest.mark.parametrize("names", [["broker.example", "127.0.0.2"], []], ids=["other name", "other authority"])
def test_a_broker_that_does_not_prove_it_is_told_nothing(settings, authority, tmp_path, names):
    issued = authority.issue(names) if names else Authority.new().issue(["127.0.0.1"])
    with (
        Proxy(settings.amqp_uri, certificate(tmp_path, issued)) as broker,
        pytest.raises(ssl.SSLCertVerificationError),
    ):
        connect(replace(settings, amqp_uri=broker.amqp_uri), "tests.tls")
