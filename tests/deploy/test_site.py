"""A site for containers: secrets are made once and closed to others, and the compose file asks for what there is."""

import json
import re
import stat
from dataclasses import fields

import msgspec
import pytest
import yaml

from deploy import rights
from deploy.home import CHECKOUT
from deploy.site import Site, System
from deploy.trouble import Trouble
from services.chassis.settings import Settings
from services.contract.topology import SOURCES

COMPOSE = yaml.safe_load((CHECKOUT / "deploy" / "compose.yml").read_text())
SETTINGS = {one.name.upper() for one in fields(Settings)}
BUREAU = System(may=("rural.list_associations",), hears=("awards.external_result.*",), password="p")


@pytest.fixture
def site(tmp_path):
    made = Site(tmp_path / "site", tmp_path / ".env")
    made.make()
    return made


def contents(site):
    return {file.name: file.read_text() for file in site.folder.iterdir() if file.is_file() and file.suffix != ".json"}


def test_a_site_is_made_once_and_closed_to_everybody_else(site):
    before = contents(site)

    site.make()

    assert contents(site) == before
    assert {stat.S_IMODE(file.stat().st_mode) for file in site.folder.iterdir() if file.is_file()} == {0o600}
    assert stat.S_IMODE(site.folder.stat().st_mode) == 0o700
    assert len(set(before.values())) == len(before)


def test_every_process_reads_its_own_address_with_a_password_that_is_nobody_else_s(site):
    keys = {name: str(site.folder / name) for name in ("token_public_key", "token_private_key")}
    passwords = set()
    for name in SOURCES:
        read = Settings.read(
            {
                "AMQP_URI_FILE": str(site.folder / f"{name}_amqp_uri"),
                "MONGO_URI_FILE": str(site.folder / f"{name}_mongo_uri"),
                "TOKEN_PUBLIC_KEY_FILE": keys["token_public_key"],
                "TOKEN_PRIVATE_KEY_FILE": keys["token_private_key"],
            }
        )
        passwords |= set(re.findall(rf"//{name}:([0-9a-f]{{48}})@", f"{read.amqp_uri} {read.mongo_uri}"))
        assert f"kexie_{name}?" in read.mongo_uri

    assert len(passwords) == 2 * len(SOURCES)


def test_the_broker_s_users_are_ours_and_the_systems_that_were_let_in(site):
    site.add("bureau", BUREAU)
    site.add("bureau", msgspec.structs.replace(BUREAU, may=("awards.ping",), password="another"))

    told = json.loads((site.folder / "definitions.json").read_text())
    assert [user["name"] for user in told["users"]] == [*SOURCES, "bureau"]
    assert dict(site.systems())["bureau"] == System(may=("awards.ping",), hears=BUREAU.hears, password="p")
    (mine,) = [one for one in told["permissions"] if one["user"] == "bureau"]
    assert mine["configure"] == rights.of_system("bureau", may=("awards.ping",), hears=BUREAU.hears).configure
    assert all(site_secret not in json.dumps(told) for site_secret in ("another", *contents(site).values()))


@pytest.mark.parametrize(
    ("name", "changed", "says"),
    [
        ("awards", {}, "none of awards"),
        ("no/name", {}, "small letters"),
        ("bureau", {"may": ("rural",)}, "rural.list_associations"),
        ("bureau", {"may": ("gateway.rebuild",)}, "gateway.rebuild: a method"),
        ("bureau", {"hears": ("awards.prize.given",)}, "awards.prize.given: no such event; there are awards.external"),
    ],
)
def test_what_is_misspelt_is_not_granted(site, name, changed, says):
    with pytest.raises(Trouble, match=re.escape(says)):
        site.add(name, msgspec.structs.replace(BUREAU, **changed))


def test_the_compose_file_asks_for_what_a_site_has_and_for_settings_that_there_are(site):
    made = {file.name for file in site.folder.iterdir()}
    for name, secret in COMPOSE["secrets"].items():
        assert secret["file"] == f"${{KEXIE_SITE:-./site}}/{'definitions.json' if name == 'definitions' else name}"
        assert secret["file"].rpartition("/")[2] in made

    for name, service in COMPOSE["services"].items():
        assert set(service.get("secrets", ())) <= set(COMPOSE["secrets"]), name
        for variable, value in service.get("environment", {}).items():
            if service["image"].startswith("kexie"):
                assert variable.removesuffix("_FILE") in SETTINGS, (name, variable)
            if variable.endswith("_FILE"):
                assert value.removeprefix("/run/secrets/") in service["secrets"], (name, variable)
    assert set(SOURCES) <= set(COMPOSE["services"])


def test_every_process_is_told_where_traces_go():
    for name in SOURCES:
        told = COMPOSE["services"][name]["environment"]
        assert (told["TRACES_URL"], told["TRACES_SHARE"]) == ("${TRACES_URL:-}", "${TRACES_SHARE:-1.0}"), name


def test_nobody_is_given_a_secret_of_somebody_else():
    for name in SOURCES:
        given = set(COMPOSE["services"][name]["secrets"])
        assert given <= {f"{name}_amqp_uri", f"{name}_mongo_uri", "token_public_key", "token_private_key"}, name
        assert ("token_private_key" in given) == (name == "gateway"), name


def test_only_the_gateway_is_reached_from_outside():
    published = {name for name, service in COMPOSE["services"].items() if service.get("ports")}
    outside = {name for name, service in COMPOSE["services"].items() if "outside" in service["networks"]}

    assert published == outside == {"gateway"}
    assert COMPOSE["networks"]["inside"]["internal"] is True
