"""A YAML file as people write it: plain texts, lists and mappings, and the line on which each of them stands.

All texts stay texts (511102 is a code and no number, 2011-12-31 a day only where a schema says so); aliases are refused
because a few of them can stand for gigabytes, and a word that occurs twice is refused because YAML would drop one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import yaml

LARGEST = 1_000_000  # bytes
DEEPEST = 20  # levels of nesting

At = tuple[str | int, ...]
"""Where something stands in a file: `("items", 34, "kpis", 0, "rule", "on")`."""


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong, and where."""

    line: int
    at: str
    says: str


class BrokenFile(ValueError):
    """The file cannot be used; one line for each fault: `2011.yaml:12: items[0].due: ...`."""

    def __init__(self, name: str, *faults: Fault) -> None:
        self.faults = faults
        super().__init__(
            "\n".join(f"{name}:{fault.line}: {fault.at + ': ' if fault.at else ''}{fault.says}" for fault in faults)
        )


def read(name: str, content: bytes) -> Document:
    """What the file says; raises `BrokenFile`."""
    if len(content) > LARGEST:
        raise BrokenFile(name, Fault(1, "", f"{len(content)} bytes; at most {LARGEST} are taken"))
    try:
        _check_shape(name, content)
        root = yaml.compose(content, Loader=yaml.BaseLoader)
    except yaml.YAMLError as error:
        raise BrokenFile(name, _fault(error)) from None
    if root is None:
        raise BrokenFile(name, Fault(1, "", "the file is empty"))

    document = Document(root)
    if document.faults:
        raise BrokenFile(name, *document.faults)
    return document


class Document:
    """`data` is what the file says; `fault` finds the line for what is wrong with it."""

    def __init__(self, root: yaml.Node) -> None:
        self.faults: list[Fault] = []
        self._lines: dict[At, int] = {}
        self.data = self._plain(root, (), _line(root))

    def fault(self, at: At, says: str) -> Fault:
        """On the line of this place, or of the nearest one around it that is there."""
        known = next(at[:depth] for depth in range(len(at), -1, -1) if at[:depth] in self._lines)
        return Fault(self._lines[known], _path(at), says)

    def _plain(self, node: yaml.Node, at: At, line: int) -> Any:
        self._lines[at] = line
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, at)
        if isinstance(node, yaml.SequenceNode):
            return [self._plain(item, (*at, i), _line(item)) for i, item in enumerate(node.value)]
        return node.value

    def _mapping(self, node: yaml.MappingNode, at: At) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in node.value:
            word, line = str(key.value)[:200], _line(key)
            if not isinstance(key, yaml.ScalarNode):
                self.faults.append(Fault(line, _path(at), "a word is needed before the colon"))
            elif word in found:
                self.faults.append(Fault(line, _path((*at, word)), "stands here twice"))
            else:
                found[word] = self._plain(value, (*at, word), line)
        return found


def _check_shape(name: str, content: bytes) -> None:
    """Before anything is built of it: no aliases, and no nesting that would exhaust the reader."""
    depth = 0
    for event in yaml.parse(content, Loader=yaml.BaseLoader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if isinstance(event, yaml.AliasEvent):
            raise BrokenFile(name, Fault(_line(event), "", "aliases are not taken"))
        if depth > DEEPEST:
            raise BrokenFile(name, Fault(_line(event), "", f"nested deeper than {DEEPEST}"))


def _fault(error: yaml.YAMLError) -> Fault:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or str(error).partition("\n")[0]
    return Fault(mark.line + 1 if mark else 1, "", problem)


def _line(node: yaml.Node | yaml.Event) -> int:
    return node.start_mark.line + 1 if node.start_mark else 1


def _path(at: At) -> str:
    return "".join(f"[{word}]" if isinstance(word, int) else f".{word}" for word in at).lstrip(".")
