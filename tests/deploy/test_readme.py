"""The operators' page does not lie about the settings."""

import re
from dataclasses import MISSING, fields

from deploy.home import CHECKOUT
from services.chassis.settings import Settings

ROW = re.compile(r"^\| `([A-Z_]+)` \| (\S+) \|", re.MULTILINE)


def test_the_operators_page_has_every_setting_with_its_default():
    told = dict(ROW.findall((CHECKOUT / "deploy" / "README.md").read_text()))

    assert told == {one.name.upper(): shown(one.default) for one in fields(Settings)}


def shown(default):
    if default is MISSING:
        return "-"
    return "none" if default is None else f"`{default}`"
