"""YAML lines: a YAML file as plain texts, lists and mappings, each with the line on which it stands.

No library's loader keeps the lines and leaves every text a text, as 511102 is a code and no number. Aliases are
refused, because a few of them can stand for gigabytes; so is a key that occurs twice, because YAML would drop one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import yaml

LOADER = getattr(yaml, "CBaseLoader", yaml.BaseLoader)  # ten times as fast where PyYAML comes with libyaml
LARGEST = 1_000_000  # bytes
DEEPEST = 20  # levels of nesting

At = tuple[str | int, ...]
"""A place in a file: `("items", 34, "kpis", 0, "rule", "on")`."""


@dataclass(frozen=True)
class FileFault:
    """One fault of a file, with its line and its place."""

    line: int
    at: str
    message: str


class BrokenFile(ValueError):
    """A file cannot be used; its text has a line for each fault: `2011.yaml:12: items[0].due: ...`."""

    def __init__(self, name: str, *faults: FileFault) -> None:
        self.faults = faults
        super().__init__(
            "\n".join(f"{name}:{fault.line}: {fault.at + ': ' if fault.at else ''}{fault.message}" for fault in faults)
        )


def read(name: str, content: bytes) -> Document:
    """Read a file; raises `BrokenFile` with every fault of its form."""
    if len(content) > LARGEST:
        raise BrokenFile(name, FileFault(1, "", f"{len(content)} bytes; at most {LARGEST} are taken"))
    try:
        _check_shape(name, content)
        root = yaml.compose(content, Loader=LOADER)
    except yaml.YAMLError as error:
        raise BrokenFile(name, _fault(error)) from None
    if root is None:
        raise BrokenFile(name, FileFault(1, "", "the file is empty"))

    document = Document(root)
    if document.faults:
        raise BrokenFile(name, *document.faults)
    return document


class Document:
    """The `data` of a file; `fault` finds the line of a place in it."""

    def __init__(self, root: yaml.Node) -> None:
        self.faults: list[FileFault] = []
        self._lines: dict[At, int] = {}
        self.data = self._plain(root, (), _line(root))

    def fault(self, at: At, message: str) -> FileFault:
        """Make a fault on the line of this place, or of the nearest place around it that the file has."""
        nearest = next(at[:depth] for depth in range(len(at), -1, -1) if at[:depth] in self._lines)
        return FileFault(self._lines[nearest], _path(at), message)

    def _plain(self, node: yaml.Node, at: At, line: int) -> Any:
        self._lines[at] = line
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, at)
        if isinstance(node, yaml.SequenceNode):
            return [self._plain(item, (*at, i), _line(item)) for i, item in enumerate(node.value)]
        return node.value

    def _mapping(self, node: yaml.MappingNode, at: At) -> dict[str, Any]:
        mapping: dict[str, Any] = {}
        for key, value in node.value:
            word, line = str(key.value)[:200], _line(key)
            if not isinstance(key, yaml.ScalarNode):
                self.faults.append(FileFault(line, _path(at), "a word is needed before the colon"))
            elif word in mapping:
                self.faults.append(FileFault(line, _path((*at, word)), "stands here twice"))
            else:
                mapping[word] = self._plain(value, (*at, word), line)
        return mapping


def _check_shape(name: str, content: bytes) -> None:
    """Refuse aliases, and nesting that would exhaust the reader, before anything is built of the file."""
    depth = 0
    for event in yaml.parse(content, Loader=LOADER):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if isinstance(event, yaml.AliasEvent):
            raise BrokenFile(name, FileFault(_line(event), "", "aliases are not taken"))
        if depth > DEEPEST:
            raise BrokenFile(name, FileFault(_line(event), "", f"nested deeper than {DEEPEST}"))


def _fault(error: yaml.YAMLError) -> FileFault:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or str(error).partition("\n")[0]
    return FileFault(mark.line + 1 if mark else 1, "", problem)


def _line(node: yaml.Node | yaml.Event) -> int:
    return node.start_mark.line + 1 if node.start_mark else 1


def _path(at: At) -> str:
    return "".join(f"[{word}]" if isinstance(word, int) else f".{word}" for word in at).lstrip(".")
