"""Words for people, in two languages. They stand side by side in `planner/locale/*.yaml`; every module may add a file.

A message is a mapping with exactly the keys `en` and `zh`; its key is the path to it, joined by dots.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Literal

import yaml

from planner.errors import Issue

Lang = Literal["zh", "en"]
LANGUAGES: tuple[Lang, ...] = ("zh", "en")
FOLDER = Path(__file__).parent / "locale"


@cache
def messages() -> Mapping[str, Mapping[str, str]]:
    """All messages by key."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # ten times faster where libyaml is there
    found: dict[str, Mapping[str, str]] = {}
    for file in sorted(FOLDER.glob("*.yaml")):
        for key, message in _flat(yaml.load(file.read_text(encoding="utf-8"), Loader=loader), ()):
            if key in found:
                raise KeyError(f"message {key!r} stands twice")
            found[key] = message
    return found


def _flat(node: Any, path: tuple[str, ...]) -> Iterator[tuple[str, Mapping[str, str]]]:
    if set(node) == set(LANGUAGES):
        yield ".".join(path), node
        return
    for name, child in node.items():
        if not isinstance(child, dict):
            raise KeyError(f"message {'.'.join([*path, str(name)])!r} needs both en and zh")
        yield from _flat(child, (*path, str(name)))


def t(key: str, lang: str, **params: object) -> str:
    """The message of that key in a language, with its parameters filled in."""
    return messages()[key][lang].format(**params)


def aside(words: str, lang: str) -> str:
    """Words in brackets behind others, as a language writes them.

    >>> aside("2030", "en"), aside("2030", "zh")
    (' (2030)', '（2030）')
    """
    return f"（{words}）" if lang == "zh" else f" ({words})"


def place(issue: Issue, lang: str) -> str:
    """Where an issue is: file, row (or edit, or line), column and, in a workbook, the cell."""
    parts = [issue.file]
    if issue.row is not None:
        parts.append(t(f"place.{issue.counted}", lang, number=issue.row))
    if issue.column is not None:
        parts.append(issue.column if issue.cell is None else issue.column + aside(issue.cell, lang))
    return ("，" if lang == "zh" else ", ").join(parts)


def issue(issue: Issue, lang: str) -> str:
    """One line: where, what was found and what was expected.

    >>> fault = Issue("error", "unknown_id", "effects.csv", 41, "quantity",
    ...               params={"found": "Nox", "table": "quantities.csv", "hint": "nox"})
    >>> print(issue(fault, "en"))
    effects.csv, row 41, quantity: 'Nox' is not in quantities.csv (did you mean 'nox'?)
    """
    colon = "：" if lang == "zh" else ": "
    return place(issue, lang) + colon + t(f"issue.{issue.key}.what", lang, **_params(issue, lang))


def remedy(issue: Issue, lang: str) -> str:
    """One line: what to do about it."""
    return t(f"issue.{issue.key}.do", lang, **_params(issue, lang))


def _params(issue: Issue, lang: str) -> dict[str, object]:
    params = {"file": issue.file, "row": issue.row, "column": issue.column, **issue.params}
    for name, value in params.items():
        if isinstance(value, float):
            params[name] = f"{value:.12g}"
    hint = params.get("hint")
    params["hint"] = t("hint", lang, name=hint) if hint else ""
    return params
