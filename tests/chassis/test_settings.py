"""Settings: all that is wrong is named at once, and nothing is read that is not documented."""

import ast
import base64
import inspect
import os
from dataclasses import MISSING, fields

import pytest

from services.chassis import settings
from services.chassis.settings import Settings, WrongSettings
from tests.stack import key_pair

PRIVATE, PUBLIC = key_pair()


def as_setting(pem):
    return base64.b64encode(pem.encode()).decode()


NEEDED = {
    "AMQP_URI": "amqp://kexie:secret@broker:5672/",
    "MONGO_URI": "mongodb://a,b,c/?replicaSet=rs0",
    "TOKEN_PUBLIC_KEY": as_setting(PUBLIC),
}


def wrong(**variables):
    """The names of what is wrong with these variables, beside the ones that are needed."""
    with pytest.raises(WrongSettings) as error:
        Settings.read({**NEEDED, **variables})
    return [line.partition(":")[0] for line in str(error.value).splitlines()]


def test_what_is_needed_is_enough_and_everything_else_has_its_default():
    read = Settings.read(NEEDED)

    assert read == Settings(amqp_uri=NEEDED["AMQP_URI"], mongo_uri=NEEDED["MONGO_URI"], token_public_key=PUBLIC)
    assert read.database("awards") == "kexie_awards"


def test_all_that_is_missing_is_named_at_once():
    with pytest.raises(WrongSettings) as error:
        Settings.read({})

    named = [line.partition(":")[0] for line in str(error.value).splitlines()]
    assert named == ["AMQP_URI", "MONGO_URI", "TOKEN_PUBLIC_KEY"]


def test_a_setting_may_stand_in_a_file(tmp_path):
    file = tmp_path / "amqp_uri"
    file.write_text(f"{NEEDED['AMQP_URI']}\n")
    given = {**NEEDED, "AMQP_URI_FILE": str(file)}
    del given["AMQP_URI"]

    assert Settings.read(given) == Settings.read(NEEDED)
    assert wrong(AMQP_URI_FILE=str(file)) == ["AMQP_URI_FILE"]  # which of the two?
    assert wrong(LOG_LEVEL_FILE=str(tmp_path / "none"), HTTP_HOST_FILE=str(tmp_path)) == [
        "HTTP_HOST_FILE", "LOG_LEVEL_FILE",
    ]  # fmt: skip


def test_all_that_is_wrong_is_named_at_once():
    assert wrong(AMQP_URI="http://broker", HTTP_PORT="web", LOG_LEVEL="LOUD", RELAY_SWEEP="0") == [
        "AMQP_URI", "HTTP_PORT", "LOG_LEVEL", "RELAY_SWEEP",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("AMQP_URI", ""),
        ("AMQP_URI", "amqp://one;http://two"),
        ("AMQP_URI", "broker:5672"),
        ("MONGO_URI", "mongodb+srv://cluster"),
        ("TOKEN_PUBLIC_KEY", ""),
        ("TOKEN_PUBLIC_KEY", "not base64!"),
        ("TOKEN_PUBLIC_KEY", as_setting("no key")),
        pytest.param("TOKEN_PUBLIC_KEY", as_setting(PUBLIC[:60]), id="half a public key"),
        pytest.param("TOKEN_PUBLIC_KEY", as_setting(PRIVATE), id="the private key"),
        pytest.param("TOKEN_PUBLIC_KEY", PUBLIC, id="a key that is not base64"),
        ("TOKEN_PRIVATE_KEY", "x"),
        ("TOKEN_PRIVATE_KEY", as_setting(PUBLIC)),
        ("SEALING_KEY", "not base64!"),
        ("SEALING_KEY", as_setting("too short")),
        ("DATABASE_PREFIX", "Kexie"),
        ("DATABASE_PREFIX", "a.b"),
        ("DATABASE_PREFIX", ""),
        ("HTTP_PORT", "65536"),
        ("HTTP_STREAMS", "-1"),
        ("WEBHOOK_HOSTS", "ftp://a.org"),
        ("WEBHOOK_HOSTS", "a.org b.org"),
        ("WEBHOOK_HOSTS", "https://a.org/path"),
        ("HTTP_BEHIND_TLS", "perhaps"),
        ("HEALTH_PORT", "-1"),
        ("HEARTBEAT", "1"),
        ("RPC_WORKERS", "0"),
        ("RELAY_BATCH", "1.5"),
        ("RELAY_SWEEP", "nan"),
        ("CONFIRM_TIMEOUT", "inf"),
        ("REQUEST_LIMIT", "16000000"),
        ("VERSIONS_LIMIT", "9"),
        ("TRACES_URL", "collector:4318"),
        ("TRACES_SHARE", "1.1"),
        ("REHEARSAL", "perhaps"),
    ],
)
def test_a_value_that_cannot_be_meant_is_named(name, value):
    assert wrong(**{name: value}) == [name]


def test_no_message_repeats_a_secret():
    with pytest.raises(WrongSettings) as error:
        Settings.read({**NEEDED, "AMQP_URI": "http://kexie:secret@broker", "TOKEN_PRIVATE_KEY": "c2VjcmV0"})

    assert "secret" not in str(error.value)
    assert "c2VjcmV0" not in str(error.value)


def test_the_private_key_is_read_where_it_is_given_and_an_empty_one_is_none():
    assert Settings.read({**NEEDED, "TOKEN_PRIVATE_KEY": as_setting(PRIVATE)}).token_private_key == PRIVATE
    assert Settings.read({**NEEDED, "TOKEN_PRIVATE_KEY": ""}).token_private_key is None


def test_the_door_has_no_database_and_everybody_else_has():
    door = {**NEEDED, "DOOR_SYSTEMS": "/run/door/systems.json"}
    del door["MONGO_URI"]

    assert Settings.read(door).mongo_uri == ""
    assert wrong(MONGO_URI="") == ["MONGO_URI"]


def test_a_sealing_key_is_32_bytes_and_an_empty_one_is_none():
    assert Settings.read({**NEEDED, "SEALING_KEY": as_setting("s" * 32)}).sealing_key == b"s" * 32
    assert Settings.read({**NEEDED, "SEALING_KEY": ""}).sealing_key is None


def test_both_ends_of_a_range_are_taken():
    assert Settings.read({**NEEDED, "HTTP_PORT": "0", "HEARTBEAT": "2"}).heartbeat == 2
    assert Settings.read({**NEEDED, "HTTP_PORT": "65535", "HEARTBEAT": "60"}).http_port == 65535


def test_without_variables_the_environment_is_read(monkeypatch):
    for name in os.environ:
        monkeypatch.delenv(name)
    for name, value in {**NEEDED, "LOG_LEVEL": "DEBUG"}.items():
        monkeypatch.setenv(name, value)

    assert Settings.read().log_level == "DEBUG"


def test_every_setting_is_read_from_the_variable_of_its_name_with_the_default_it_documents():
    read = dict(_read_in(settings))

    assert set(read) == {field.name.upper() for field in fields(Settings)}
    for field in fields(Settings):
        assert read[field.name.upper()] == (None if field.default is MISSING else field.default), field.name


def test_every_setting_says_what_it_is():
    source = inspect.getsource(Settings)
    said = source[: source.index("def read")]

    for field in fields(Settings):
        (line,) = [line for line in said.splitlines() if line.strip().startswith(f"{field.name}:")]
        assert "#" in line or field.name.endswith(("_uri", "_host", "log_level")), field.name


def _read_in(module):
    """The variables that a module reads, each with its default."""
    for call in ast.walk(ast.parse(inspect.getsource(module))):
        if (
            isinstance(call, ast.Call)
            and isinstance(call.func, ast.Attribute)
            and isinstance(call.func.value, ast.Name)
            and call.func.value.id == "env"
            and call.args
        ):
            name, *default = (ast.literal_eval(argument) for argument in call.args)
            yield name, default[0] if default else None
