"""Write today's samples: `python -m tests.contract.samples`, once nobody reads the older ones any more."""

import json
from pathlib import Path

from services.contract import EVERY_KIND
from services.contract.event import Event
from tests.contract.views import samples_of

HERE = Path(__file__).parent


def written(kind):
    return {
        "dataschema": kind.dataschema,
        "happenings": list(kind.happenings),
        "events": [json.loads(event.write()) for event in _events(kind)],
    }


def _events(kind):
    for number, data in enumerate(samples_of(kind)):
        yield Event(
            kind=kind,
            record="r-1",
            version=number + 1,
            happened=kind.happenings[number % len(kind.happenings)],
            time="2011-05-14T10:00:00.000+08:00",
            actor="u-wang",
            cause="c-1",
            hash=f"{number:064x}",
            data=data,
        )


if __name__ == "__main__":
    for kind in EVERY_KIND.values():
        text = json.dumps(written(kind), ensure_ascii=False, indent=1)
        (HERE / f"{kind.key}.json").write_text(f"{text}\n", encoding="utf-8")
