"""What watches speaks of numbers that there are, and Prometheus's own tool accepts it."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from prometheus_client import REGISTRY

from deploy.__main__ import kexie
from deploy.secrets.private_files import CHECKOUT
from gateway.door.service import Door  # noqa: F401 - with it come its numbers
from gateway.service import Gateway  # noqa: F401 - with it come the numbers of the gateway
from services.contract.topology import LEDGER_QUEUE, SOURCES

WATCHING = CHECKOUT / "deploy" / "watching"
ALERTS = [rule for group in yaml.safe_load((WATCHING / "alerts.yml").read_text())["groups"] for rule in group["rules"]]
PANELS = json.loads((WATCHING / "dashboard.json").read_text())["panels"]
CONFIG = yaml.safe_load((WATCHING / "prometheus.yml").read_text())
COMPOSE = yaml.safe_load((CHECKOUT / "deploy" / "compose.yml").read_text())

ROW = re.compile(r"^\| `([a-z_]+)` \| (\w+) \| ([^|]+) \|", re.MULTILINE)
ENDINGS = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count"), "info": ("_info",)}
PROMETHEUS = {"up": set(), "ALERTS": {"alertname", "alertstate"}}
TARGET = {"job", "instance", "container", "le"}
RABBITMQ = set((Path(__file__).parent / "rabbitmq_metrics.txt").read_text().split())  # of a node of 3.10.8

STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
RANGE = re.compile(r"\[[0-9smhd:]+\]")
LABELS = re.compile(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)")
SELECTOR = re.compile(r"([A-Za-z_]+)\s*\{([^}]*)\}")
NAME = re.compile(r"\b[A-Za-z_][A-Za-z0-9_]*\b(?!\s*\()")
WORDS = {"and", "or", "unless", "bool"}


def ours():
    """The labels of every metric, as the processes' modules make them, by the names that Prometheus reads."""
    found = {}
    for family in REGISTRY.collect():
        made = REGISTRY._names_to_collectors[family.name]
        labels = set(getattr(made, "_labelnames", ())) or {name for one in family.samples for name in one.labels}
        if family.type == "info":  # which a process tells only when it is asked
            labels = {"version"}
        for ending in ENDINGS.get(family.type, ("",)):
            found[family.name + ending] = labels - {"le"}
    return found


def expressions():
    return [rule["expr"] for rule in ALERTS] + [target["expr"] for panel in PANELS for target in panel["targets"]]


def promtool(*arguments):
    tool = shutil.which("promtool")
    assert tool, "promtool is missing: install Debian's package prometheus, or put promtool on the PATH"
    done = subprocess.run([tool, *map(str, arguments)], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_page_has_every_metric_with_its_labels_and_none_besides():
    told = {name: labels for name, _, labels in ROW.findall((WATCHING / "README.md").read_text())}
    bare = {
        re.sub("_(bucket|sum|count)$", "", name) if "_seconds_" in name else name: labels
        for name, labels in ours().items()
    }

    assert {name: set(re.findall("`([a-z]+)`", labels)) for name, labels in told.items()} == bare


@pytest.mark.parametrize("expression", expressions())
def test_alerts_and_panels_use_metrics_and_labels_that_there_are(expression):
    known = ours() | PROMETHEUS
    text = STRING.sub('""', RANGE.sub("", expression))
    names = set(NAME.findall(SELECTOR.sub(r"\1", LABELS.sub("", text)))) - WORDS

    assert names <= known.keys() | RABBITMQ
    for name, matchers in SELECTOR.findall(text):
        if name in known:
            assert set(re.findall(r"([a-z_]+)\s*[=!]", matchers)) <= known[name] | TARGET
    grouped = {label.strip() for labels in LABELS.findall(text) for label in labels.split(",")} - {""}
    assert grouped <= TARGET | {"queue"}.union(*(known.get(name, set()) for name in names))


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: rule["alert"])
def test_an_alert_says_in_two_languages_what_is_wrong_and_what_to_do(rule):
    said = rule["annotations"]

    assert rule["labels"]["severity"] in ("critical", "warning")
    assert re.search("[一-鿿]", said["summary_zh"])
    assert said["summary_en"].isascii()
    assert set(re.findall(r"\./kexie ([a-z]+)", said["do"])) <= set(kexie.commands)
    assert re.search(r"`(\./kexie|docker|df|rabbitmq-queues) |deploy/README\.md", said["do"])


def test_an_alert_names_lines_and_sections_that_the_operators_page_has():
    page = (CHECKOUT / "deploy" / "README.md").read_text()
    for rule in ALERTS:
        for words in re.findall(r"[Ss]ee ([^,;]+), (?:When|Nothing)", rule["annotations"]["do"]):
            assert words in page, rule["alert"]
        for section in ("When something is wrong", "Nothing has to be done when", "Settings"):
            assert section not in rule["annotations"]["do"] or section in page


def test_prometheus_s_own_tool_accepts_the_configuration_and_the_alerts_fire_as_they_should():
    promtool("check", "config", WATCHING / "prometheus.yml")
    promtool("test", "rules", WATCHING / "alerts_test.yml")


def test_prometheus_s_own_tool_accepts_what_the_panels_ask(tmp_path):
    asked = [{"record": f"panel:{number}", "expr": said} for number, said in enumerate(expressions())]
    rules = tmp_path / "panels.yml"
    rules.write_text(json.dumps({"groups": [{"name": "panels", "rules": asked}]}))

    promtool("check", "rules", "--lint=none", rules)


def test_every_process_is_asked_for_its_numbers_and_its_absence_is_noticed():
    (names,) = CONFIG["scrape_configs"][0]["dns_sd_configs"]
    (away,) = [rule for rule in ALERTS if rule["alert"] == "ServiceAway"]
    (missing,) = [rule for rule in ALERTS if rule["alert"] == "LedgerQueueMissing"]

    assert set(names["names"]) == set(re.findall('container="([a-z]+)"', away["expr"])) == {*SOURCES, "door"}
    assert set(names["names"]) <= set(COMPOSE["services"])
    assert f"HEALTH_HOST=0.0.0.0 HEALTH_PORT={names['port']}" in (CHECKOUT / "deploy" / "Dockerfile").read_text()
    assert f'queue="{LEDGER_QUEUE.name}"' in missing["expr"]


def test_what_is_mounted_is_there():
    for name in ("prometheus", "grafana", "rabbitmq"):
        for volume in COMPOSE["services"][name]["volumes"]:
            source = volume.partition(":")[0]
            assert not source.startswith(".") or (CHECKOUT / "deploy" / source).exists()
