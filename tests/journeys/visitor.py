"""A visitor of the gateway who asks for everything that its description tells of, with every id that there is."""

from itertools import product

from services.contract import EVERY_KIND, KINDS

STREAM = "text/event-stream"
PDF = "application/pdf"
VALUES = {
    "year": ["2011"], "period": ["2011"], "no": ["28"], "code": ["K1", "M-YOUTH26-DELEGATION"], "service": ["awards"],
    "command": ["import_entry"], "name": ["pages.css"], "round_no": ["1"], "uri": ["urn:kexie:schema:awards:award:1"],
}  # fmt: skip
ASKED_BY = {"sheet_id": "score_sheet"}
"""What an id is of, where its name does not say so."""


class Visitor:
    def __init__(self, gateway):
        paths = gateway.get("/openapi.json").body["paths"]
        self.operations = {path: one["get"] for path, one in paths.items() if "get" in one}
        held = {kind: gateway.running.database(kind.service)[kind.name] for kind in EVERY_KIND.values()}
        self._ids = {(kind.service, kind.plural): found.distinct("_id") for kind, found in held.items()}
        self._of_name = {f"{kind.name}_id": self._ids[kind.service, kind.plural] for kind in held}
        self._of_name |= {name: self._of_name[f"{kind}_id"] for name, kind in ASKED_BY.items()}
        awards = [one["state"] for one in held[KINDS["awards.award"]].find()]
        self._of_name["certificate_no"] = [f"{one['certificate_no']}?code={one['check_code']}" for one in awards]

    def addresses(self, template):
        """Of an operation, one for each thing that it can be asked about."""
        return list(self._addresses(template))

    @property
    def searchable(self):
        """The operations whose answers are texts, or files of texts, that come to an end."""
        unfit = {STREAM, PDF}
        return [path for path, told in self.operations.items() if not unfit & _content_types(told)]

    def _addresses(self, template):
        needed = [one for one in self.operations[template].get("parameters", ()) if one.get("required")]
        in_path, in_query = ([one["name"] for one in needed if one["in"] == where] for where in ("path", "query"))
        for values in self._values(template, in_path + in_query):
            address = template
            for name in in_path:
                address = address.replace(f"{{{name}}}", values[name])
            yield address + "?" * bool(in_query) + "&".join(f"{name}={values[name]}" for name in in_query)

    def _values(self, template, names):
        if template.startswith("/api/v1/records/"):
            for (service, plural), ids in self._ids.items():
                kind = next(one for one in EVERY_KIND.values() if (one.service, one.plural) == (service, plural))
                yield from ({"service": service, "kind": kind.name, "id": id_} for id_ in ids)
        else:
            found = [self._known(template, name) for name in names]
            yield from (dict(zip(names, values, strict=True)) for values in product(*found))

    def _known(self, template, name):
        if name == "id":
            service, plural = template.split("/")[3:5]
            return self._ids.get((service, "awards" if plural == "certificates" else plural), [])
        return VALUES.get(name) or self._of_name.get(name, [])


def _content_types(operation):
    return operation["responses"]["200"].get("content", {}).keys()
