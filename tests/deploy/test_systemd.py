"""Units for a site without containers: they ask for settings that there are, and for secrets that a site has."""

import importlib.util
import re
from dataclasses import fields

import pytest

from deploy.deployment.layout import Layout
from deploy.deployment.site_files import Site
from deploy.local.programs import PROGRAMS
from deploy.secrets.keys import SEALING, SIGNING
from deploy.secrets.private_files import CHECKOUT
from services.chassis.settings import Settings
from services.contract.topology import SOURCES

UNITS = CHECKOUT / "deploy" / "systemd"
SETTINGS = {one.name.upper() for one in fields(Settings)}
OF_PYTHON = {"PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE"}


def lines(unit):
    """What the unit says, as (name, value); a template's drop-in for one instance may say the same name again."""
    said = (line for line in (UNITS / unit).read_text().splitlines() if line and line[0] not in "#[")
    return [tuple(line.split("=", 1)) for line in said]


def said(*units, name):
    """What units say under a name, together; an empty line takes back what was said before."""
    values = [value for unit in units for one, value in lines(unit) if one == name]
    return values[len(values) - [*reversed(values), ""].index("") :]


def units_of(service):
    drop_ins = UNITS.glob(f"kexie@{service}.service.d/*.conf")
    return ["kexie@.service", *(str(file.relative_to(UNITS)) for file in drop_ins)]


@pytest.fixture
def site(tmp_path):
    made = Site(tmp_path / "site", tmp_path / ".env")
    made.make(Layout(("broker.example",), ("db1.example", "db2.example:27018")))
    return made


@pytest.mark.parametrize("service", PROGRAMS)
def test_a_unit_s_environment_is_settings_and_its_credentials_are_the_service_s_own(site, service):
    given, told = {}, {}
    for credential in said(*units_of(service), name="LoadCredential"):
        name, _, path = credential.replace("%i", service).partition(":")
        assert path.startswith("/etc/kexie/site/")
        given[name] = site.folder / path.removeprefix("/etc/kexie/site/")
        assert given[name].exists(), path
    for variables in said(*units_of(service), name="Environment"):
        for name, _, value in (one.partition("=") for one in variables.split()):
            assert name.removesuffix("_FILE") in SETTINGS | OF_PYTHON | {"SSL_CERT"}
            assert not value.startswith("%d/") or value.removeprefix("%d/") in given
            told[name] = str(given[value.removeprefix("%d/")]) if value.startswith("%d/") else value

    read = Settings.read(told)
    assert re.match(f"amqps://{service}:[0-9a-f]{{48}}@broker.example:5671/%2F", read.amqp_uri)
    assert ("@db1.example:27017,db2.example:27018/" in read.mongo_uri) == (service in SOURCES)
    assert (read.door_systems is not None) == (service == "door")
    assert ("token_private_key" in given) == (service in SIGNING)
    assert ("sealing_key" in given) == (service in SEALING)


def test_the_command_is_there_and_the_target_wants_all_six():
    (command,) = said("kexie@.service", name="ExecStart")
    python, dash_m, module, instance = command.split()

    assert (python, dash_m, instance) == ("/opt/kexie/venv/bin/python", "-m", "%i")
    assert importlib.util.find_spec(module)
    assert said("kexie.target", name="Wants") == [" ".join(f"kexie@{name}.service" for name in PROGRAMS)]


def test_a_site_of_one_s_own_broker_moves_and_keeps_its_passwords(site):
    def without_hosts():
        return [re.sub("@[^/]+", "", (site.folder / f"{name}_mongo_uri").read_text()) for name in SOURCES]

    before = without_hosts()
    site.make(Layout(("broker2.example:5673",), ("db3.example",)))
    site.make()

    assert without_hosts() == before
    assert "@broker2.example:5673/%2F" in (site.folder / "rural_amqp_uri").read_text()
    assert not site.layout().is_in_containers
    assert not site.environment.exists()


def test_what_does_not_leave_the_machine_is_said_in_plain(site):
    site.make(Layout(("127.0.0.1",), ("localhost:27018",)))

    assert re.match(r"amqp://rural:\w+@127.0.0.1:5672/%2F\Z", (site.folder / "rural_amqp_uri").read_text())
    assert "tls" not in (site.folder / "rural_mongo_uri").read_text()
    assert not site.environment.exists()
