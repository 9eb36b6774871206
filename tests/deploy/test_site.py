"""A site for containers: secrets are made once and closed to others, and the compose file asks for what there is."""

import json
import re
import stat
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import msgspec
import pytest
import yaml
from click.testing import CliRunner
from cryptography import x509

from deploy.__main__ import kexie
from deploy.deployment import other_systems
from deploy.deployment.layout import CLUSTER, Layout
from deploy.deployment.other_systems import System, understood
from deploy.deployment.site_files import Site
from deploy.errors import CommandFailed
from deploy.image.service_classes import methods
from deploy.local.programs import PROGRAMS
from deploy.secrets.certificate_authority import Authority
from deploy.secrets.keys import SEALING, SIGNING
from deploy.secrets.private_files import CHECKOUT
from services.chassis.entrypoints import Command
from services.chassis.fields import json_schema
from services.chassis.settings import Settings
from services.contract.topology import SOURCES

COMPOSE = yaml.safe_load((CHECKOUT / "deploy" / "compose.yml").read_text())
SETTINGS = {one.name.upper() for one in fields(Settings)}
BUREAU = System(may=("rural.list_associations",), hears=("awards.external_result.*",), password="p")
HOST = "broker.example"


@pytest.fixture
def site(tmp_path):
    made = Site(tmp_path / "site", tmp_path / ".env")
    made.make()
    return made


def contents(site):
    return {file.name: file.read_text() for file in site.folder.rglob("*") if file.is_file() and file.suffix != ".json"}


def test_a_site_is_made_once_and_closed_to_everybody_else(site):
    before = contents(site)

    site.make()

    assert contents(site) == before
    assert {stat.S_IMODE(file.stat().st_mode) for file in site.folder.rglob("*") if file.is_file()} == {0o600}
    assert stat.S_IMODE(site.folder.stat().st_mode) == 0o700
    assert len(set(before.values())) == len(before)


def given(site, name):
    """The environment of this service's container."""
    files = {"AMQP_URI": f"{name}_amqp_uri", "MONGO_URI": f"{name}_mongo_uri", "TOKEN_PUBLIC_KEY": "token_public_key"}
    return {f"{variable}_FILE": str(site.folder / file) for variable, file in files.items()}


def names_in(certificate):
    held = x509.load_pem_x509_certificate(certificate.encode())
    return held.extensions.get_extension_for_class(x509.SubjectAlternativeName).value.get_values_for_type(x509.DNSName)


def test_every_process_reads_its_own_address_with_a_password_that_is_nobody_else_s(site):
    passwords = set()
    for name in SOURCES:
        read = Settings.read(given(site, name))
        passwords |= set(re.findall(rf"//{name}:([0-9a-f]{{48}})@", f"{read.amqp_uri} {read.mongo_uri}"))
        assert f"kexie_{name}?" in read.mongo_uri

    assert len(passwords) == 2 * len(SOURCES)
    assert re.search("//door:[0-9a-f]{48}@", (site.folder / "door_amqp_uri").read_text())


def test_the_broker_s_users_are_ours_and_the_systems_that_were_let_in(site):
    site.add("bureau", BUREAU, host=HOST)
    site.add("bureau", msgspec.structs.replace(BUREAU, may=("awards.ping",), password="another"), host=HOST)

    told = json.loads((site.folder / "definitions.json").read_text())
    assert [user["name"] for user in told["users"]] == [*SOURCES, "provision", "door", "bureau"]
    assert site.systems().all()["bureau"] == System(may=("awards.ping",), hears=BUREAU.hears, password="p")
    assert [one["vhost"] for one in told["permissions"] if one["user"] == "bureau"] == ["bureau"]
    assert [one["vhost"] for one in told["permissions"] if one["user"] == "door"] == ["/", "bureau"]
    (calls,) = [one for one in told["topic_permissions"] if one["user"] == "door"]
    assert re.findall(calls["write"], "awards.ping") == ["awards.ping"]
    assert not re.findall(calls["write"], "rural.list_associations")
    assert all(site_secret not in json.dumps(told) for site_secret in ("another", *contents(site).values()))


@pytest.mark.parametrize(
    ("name", "changed", "says"),
    [
        ("awards", {}, "none of awards"),
        ("no/name", {}, "small letters"),
        ("bureau", {"may": ("rural.list_asociations",)}, "no such method; there are rural.list_associations,"),
        ("bureau", {"may": ("members.merge",)}, "members.merge: no such method; there are members.activate_org"),
        ("bureau", {"may": ("gateway.rebuild",)}, "gateway.rebuild: no such method; there are awards."),
        ("bureau", {"may": ("outreach.record_count",)}, "outreach.record_count is for recorder: name it with --role."),
        ("bureau", {"hears": ("awards.prize.given",)}, "awards.prize.given: no such event; there are awards.external"),
        ("bureau", {"hears": ("prize.*",)}, "prize.*: no such event; there are awards.external_result.reported"),
        ("bureau", {"hears": ("rural.*.*.*",)}, "rural.*.*.*: no such event; there are rural.association.prepared"),
        ("bureau", {"hears": ("rural.fund_*.*",)}, "rural.fund_*.*: no such event"),
    ],
)
def test_what_is_misspelt_is_not_granted(site, name, changed, says):
    with pytest.raises(CommandFailed, match=re.escape(says)):
        site.add(name, msgspec.structs.replace(BUREAU, **changed), host=HOST)


def test_a_kind_and_a_service_stand_for_all_of_their_events():
    assert understood(["external_result.*", "fund_grant.received", "awards.*", "rural.*.lapsed"]) == (
        "awards.external_result.*",
        "rural.fund_grant.received",
        "awards.*.*",
        "rural.*.lapsed",
    )


def test_no_command_does_anything_without_being_told_more():
    """So the example may call whatever was granted."""
    commands = {name: one for name, one in methods().items() if isinstance(one, Command)}

    assert [name for name, one in commands.items() if not json_schema(one.schema, of=name).get("required")] == []


def test_a_bureau_is_handed_all_that_it_needs_and_the_address_where_it_reaches_the_broker(site):
    site.make(Layout(hosts=("kexie.example", "localhost")))

    folder = site.add("bureau", BUREAU).path

    assert {file.name for file in folder.iterdir()} == {
        "amqp_uri", "ca.pem", "example.py", "granted.json", "README.md", "token"
    }  # fmt: skip
    assert {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {0o600}
    assert (folder / "ca.pem").read_text() == (site.folder / "tls" / "ca.pem").read_text()
    assert (folder / "amqp_uri").read_text() == "amqps://bureau:p@kexie.example:5671/bureau"
    assert '"server_hostname": "kexie.example"' in (folder / "README.md").read_text()


def test_nobody_is_let_in_before_it_is_known_where_the_broker_is_reached(site):
    with pytest.raises(CommandFailed, match="deploy init --host NAME"):
        site.add("bureau", BUREAU)
    assert not (site.folder / "systems").exists()


def test_a_token_stays_until_it_ends_soon_says_too_little_or_is_to_be_renewed(site, monkeypatch):
    def token_id(**how):
        return site.add("bureau", BUREAU, host=HOST, **how).token().id

    first = token_id()
    assert token_id() == first
    second = token_id(renew=True)
    third = token_id(roles=("recorder",))
    fourth = token_id(roles=("recorder",), district="511102")
    assert len({first, second, third, fourth}) == 4
    assert token_id(roles=("recorder",), district="511102") == fourth

    monkeypatch.setattr(other_systems, "SOON", other_systems.TOKEN_HOLDS + timedelta(days=1))
    assert token_id(roles=("recorder",), district="511102") != fourth


def test_a_system_that_is_removed_leaves_neither_files_nor_rights(site):
    site.add("bureau", BUREAU, host=HOST)

    site.remove("bureau")

    assert site.systems().all() == {}
    assert json.loads((site.folder / "door/systems.json").read_text()) == {}
    assert "bureau" not in (site.folder / "definitions.json").read_text()
    with pytest.raises(CommandFailed, match="no system bureau; there are none"):
        site.remove("bureau")


def test_the_commands_tell_what_the_broker_has_to_be_told_and_the_door_where_it_reads_a_copy(tmp_path, monkeypatch):
    site = Site(tmp_path / "site", tmp_path / ".env")
    site.make(Layout(("127.0.0.1",), ("127.0.0.1",), ("kexie.example",)))
    monkeypatch.setenv("KEXIE_SITE", str(site.folder))

    def gives(*command):
        done = CliRunner(env={"COLUMNS": "120"}).invoke(kexie, ("deploy", "system", *command))
        assert done.exit_code == 0, done.output
        return done.output

    added = gives("add", "bureau", "--may", "rural.list_associations", "--hears", "external_result.*")
    assert f"rabbitmqctl import_definitions < {site.folder}/definitions.json" in added
    assert "systemctl restart kexie@door" in added
    assert re.search(r"bureau +rural.list_associations +awards.external_result.\*", gives("list"))
    removed = gives("remove", "bureau")
    for command in ("delete_user bureau", "delete_vhost bureau", "delete_queue door.bureau --vhost /"):
        assert f"  rabbitmqctl {command}\n" in removed
    assert "./kexie token revoke " in removed


def test_the_compose_file_asks_for_what_a_site_has_and_for_settings_that_there_are(site):
    for secret in COMPOSE["secrets"].values():
        assert (site.folder / secret["file"].removeprefix("${KEXIE_SITE:-./site}/")).is_file()

    for name, service in COMPOSE["services"].items():
        assert set(service.get("secrets", ())) <= set(COMPOSE["secrets"]), name
        for variable, value in service.get("environment", {}).items():
            if service["image"].startswith("kexie:"):
                assert variable.removesuffix("_FILE") in {*SETTINGS, "SSL_CERT"}, (name, variable)
            if variable.endswith("_FILE"):
                assert value.removeprefix("/run/secrets/") in service["secrets"], (name, variable)
    assert set(PROGRAMS) <= set(COMPOSE["services"])


def test_every_process_is_told_where_traces_go():
    for name in PROGRAMS:
        told = COMPOSE["services"][name]["environment"]
        assert (told["TRACES_URL"], told["TRACES_SHARE"]) == ("${TRACES_URL:-}", "${TRACES_SHARE:-1.0}"), name


def test_nobody_is_given_a_secret_of_somebody_else():
    for name in PROGRAMS:
        given = set(COMPOSE["services"][name]["secrets"])
        own = {"ca", f"{name}_amqp_uri", "token_public_key"} | ({f"{name}_mongo_uri"} if name in SOURCES else set())
        assert given - {"token_private_key", "sealing_key"} == own, name
        assert ("token_private_key" in given) == (name in SIGNING), name
        assert ("sealing_key" in given) == (name in SEALING), name


def test_only_the_proxy_is_reached_from_outside_and_who_watches_from_this_machine():
    services = COMPOSE["services"].items()
    watching = {name for name, service in services if service.get("profiles") == ["watching"]}
    published = {name for name, service in services if service.get("ports")}
    outside = {name for name, service in services if "outside" in service["networks"]}

    assert published == {"proxy"} | watching
    assert outside == {"proxy", "gateway"} | watching
    assert all(port.startswith("127.0.0.1:") for name in watching for port in COMPOSE["services"][name]["ports"])
    assert COMPOSE["networks"]["inside"]["internal"] is True


def test_a_site_that_grows_keeps_its_passwords_and_knows_its_new_names(site):
    before = {name: Settings.read(given(site, name)) for name in SOURCES}

    site.make(msgspec.structs.replace(CLUSTER, hosts=("kexie.example", "127.0.0.1")))
    site.make()

    for name in SOURCES:
        after = Settings.read(given(site, name))
        assert after.amqp_uri.split(";")[0] == before[name].amqp_uri
        assert [urlsplit(one).hostname for one in after.amqp_uri.split(";")] == list(CLUSTER.brokers)
        assert after.mongo_uri == before[name].mongo_uri.replace(
            "mongo:27017", ",".join(f"{host}:27017" for host in CLUSTER.databases)
        )
    for server, name in [("proxy", "kexie.example"), ("rabbitmq", "rabbitmq3"), ("mongo", "mongo2")]:
        assert name in names_in((site.folder / f"tls/{server}.pem").read_text())


def test_the_site_s_own_certificates_are_renewed_before_their_end_and_others_never(site):
    tls = site.folder / "tls"
    names = site.layout().hosts
    soon, others = site.authority().issue(names, timedelta(days=30)), Authority.new().issue(names, timedelta(days=30))
    (tls / "proxy.pem").write_text(soon)
    (tls / "mongo.pem").write_text(others)

    assert site.make() == ("proxy",)
    assert site.make() == ()

    assert (tls / "proxy.pem").read_text() != soon
    assert (tls / "mongo.pem").read_text() == others
    assert dict(site.certificates())[tls / "proxy.pem"] > datetime.now(UTC) + timedelta(days=800)


def test_authorities_of_others_stand_beside_the_site_s_own_or_in_its_place(site):
    trusted, other = site.folder / "tls" / "ca.pem", Authority.new().certificate
    trusted.write_text(other + trusted.read_text())
    assert site.make(Layout(hosts=("kexie.example", "localhost"))) == ("rabbitmq", "proxy")

    trusted.write_text(other)
    assert site.authority() is None
    assert site.make(Layout(hosts=("other.example", "localhost"))) == ()


def test_what_the_operator_says_to_the_engine_stays(site):
    site.environment.write_text("KEXIE_HTTPS=443\nKEXIE_USER=0:0\n")

    site.make()

    https, project, user = site.environment.read_text().splitlines()
    assert (https, project) == ("KEXIE_HTTPS=443", f"COMPOSE_PROJECT_NAME={site.project}")
    assert user not in ("", "KEXIE_USER=0:0")
