"""One cell: what a person typed -> a value, or the words for what is wrong with it. Nothing is guessed."""

import difflib
import math
import re
import types
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cache, lru_cache
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import ValidationError
from pydantic.fields import FieldInfo

from planner.errors import Issue, Place, error
from planner.rows import Row

Kind = Literal["text", "whole", "number", "yesno", "choice", "many", "mapping"]

NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
LONGEST_CELL = 20_000
"""Most characters of a cell."""
OWN = "x_"

_HIDDEN = re.compile("[\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufffd\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_THOUSANDS = re.compile(r"[+-]?\d{1,3}(?:,\d{3})+(?:\.\d+)?", re.ASCII)
_DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+", re.ASCII)
_PERCENT = re.compile(r"([+-]?\d*\.?\d+)\s*[%％]", re.ASCII)
_SPREADSHEET_ERROR = re.compile(r"#(?:REF!|N/A|DIV/0!|VALUE!|NAME\?|NUM!|NULL!|SPILL!|GETTING_DATA|#+)")
_MINUS = dict.fromkeys(map(ord, "\u2212\u2010\u2011\u2012\u2013\u2014\uff0d"), "-")


@dataclass(frozen=True)
class Column:
    """What a column of a table takes."""

    name: str
    kind: Kind
    filled: bool
    """Whether its cells must be filled."""
    header: bool
    """Whether it must stand in the header."""
    choices: tuple[str, ...]
    info: FieldInfo


class CellError(Exception):
    """A cell that cannot be read; carries the key of the words and their parameters."""

    def __init__(self, key: str, **params: object) -> None:
        self.key, self.params = key, params
        super().__init__(key)


@cache
def columns(row: type[Row]) -> Mapping[str, Column]:
    """Columns of a table, own columns first, then source, grade, note."""
    names = [name for name in row.model_fields if name not in ("extra", "place")]
    shared: list[str] = ["source", "grade", "note"]
    if "source" in row.key or "source" not in names:
        shared.remove("source")
    names = [name for name in names if name not in shared] + shared
    return {name: _column(row, name) for name in names}


def _column(row: type[Row], name: str) -> Column:
    info = row.model_fields[name]
    annotation: Any = info.annotation
    if get_origin(annotation) in (types.UnionType, Union):
        annotation = next(part for part in get_args(annotation) if part is not types.NoneType)
    if hasattr(annotation, "__metadata__"):
        annotation = get_args(annotation)[0]
    choices: tuple[str, ...] = ()
    kind: Kind
    if get_origin(annotation) is Literal:
        kind, choices = "choice", get_args(annotation)
    elif get_origin(annotation) is tuple:
        kind = "many"
    elif get_origin(annotation) is dict:
        kind = "mapping"
    else:
        kinds: Mapping[type, Kind] = {str: "text", int: "whole", float: "number", bool: "yesno"}
        kind = kinds[annotation]
    filled = info.is_required()
    return Column(name, kind, filled, filled or name in row.header, choices, info)


def closest(name: str, names: Iterable[str]) -> str:
    """The most similar of `names`, or nothing.

    >>> closest("Nox", ["co2", "nox"])
    'nox'
    """
    return _closest(name, tuple(names))


@lru_cache(maxsize=4096)
def _closest(name: str, names: tuple[str, ...]) -> str:
    folded = {other.casefold(): other for other in reversed(names)}
    match = difflib.get_close_matches(name.casefold(), folded, n=1, cutoff=0.6)
    return folded[match[0]] if match else ""


def value(column: Column, raw: object) -> Any:
    """The value of a cell, None when blank; raises CellError."""
    if isinstance(raw, str):
        if len(raw) > LONGEST_CELL:
            raise CellError("cell_too_long", found=raw[:40] + "…", length=len(raw), expected=LONGEST_CELL)
        if hidden := _HIDDEN.search(raw):
            code = f"U+{ord(hidden[0]):04X}"
            raise CellError("hidden_character", found=raw[:80], code=code, position=hidden.start() + 1)
        raw = raw.strip()
    if raw is None or raw == "":
        if column.filled:
            raise CellError("blank")
        return None
    return _READERS[column.kind](column, raw)


def _text(column: Column, raw: object) -> str:
    if isinstance(raw, str):
        if _SPREADSHEET_ERROR.fullmatch(raw):
            raise CellError("spreadsheet_error", found=raw)
        return raw
    if isinstance(raw, bool) or not isinstance(raw, int | float):
        raise CellError("not_text", found=raw)
    return str(int(raw)) if float(raw).is_integer() else repr(raw)


def _number(column: Column, raw: object) -> float:
    if isinstance(raw, bool):
        raise CellError("truth_for_number", found=raw)
    if isinstance(raw, int | float):
        number = float(raw)
    elif isinstance(raw, date | datetime | time | timedelta):
        raise CellError("date_for_number", found=raw)
    elif not isinstance(raw, str):
        raise CellError("not_a_number", found=raw)
    elif NUMBER.fullmatch(raw):
        number = float(raw)
        if math.isinf(number):
            raise CellError("number_too_large", found=raw)
    else:
        raise _why_no_number(raw)
    if not math.isfinite(number):
        raise CellError("not_finite", found=raw)
    return number


def _why_no_number(text: str) -> CellError:
    """The most helpful reason why `text` is no number."""
    plain = unicodedata.normalize("NFKC", text).translate(_MINUS).strip()
    if text.casefold() in ("true", "false", "yes", "no"):
        return CellError("truth_for_number", found=text)
    if text.casefold().lstrip("+-") in ("nan", "inf", "infinity", "∞"):
        return CellError("not_finite", found=text)
    if _SPREADSHEET_ERROR.fullmatch(text):
        return CellError("spreadsheet_error", found=text)
    if text.startswith("="):
        return CellError("formula", found=text[:80])
    if percent := _PERCENT.fullmatch(plain):
        return CellError("percent", found=text, expected=f"{float(percent[1]) / 100:.12g}")
    if _THOUSANDS.fullmatch(plain):
        return CellError("thousands", found=text, expected=plain.replace(",", ""))
    if _DECIMAL_COMMA.fullmatch(plain):
        return CellError("decimal_comma", found=text, expected=plain.replace(",", "."))
    if plain != text and NUMBER.fullmatch(plain):
        return CellError("look_alike_digits", found=text, expected=plain)
    if inside := re.search(r"\d[\d.,]*", plain):
        return CellError("number_with_words", found=text[:80], expected=inside[0])
    return CellError("not_a_number", found=text[:80])


def _whole(column: Column, raw: object) -> int:
    number = _number(column, raw)
    if not number.is_integer() or abs(number) > 1e9:
        raise CellError("not_whole", found=raw)
    return int(number)


def _yesno(column: Column, raw: object) -> bool:
    if isinstance(raw, bool):
        return raw
    if raw in ("yes", "no"):
        return raw == "yes"
    raise CellError("not_yes_or_no", found=raw)


def _choice(column: Column, raw: object) -> str:
    if raw in column.choices:
        return str(raw)
    text = str(raw)
    look_alike = {"≤": "<=", "≥": ">=", "=<": "<=", "=>": ">=", "<": "<=", ">": ">="}
    hint = look_alike.get(text) if text in look_alike and "<=" in column.choices else closest(text, column.choices)
    raise CellError("not_a_choice", found=text[:80], expected=", ".join(column.choices), hint=hint)


def _many(column: Column, raw: object) -> tuple[str, ...]:
    parts = [_text(column, part) for part in raw] if isinstance(raw, list | tuple) else _text(column, raw).split(";")
    found = tuple([part.strip() for part in parts])
    if "" in found:
        raise CellError("empty_part", found=";".join(found))
    if len(set(found)) < len(found):
        raise CellError("repeated_part", found=";".join(found))
    return found


def _mapping(column: Column, raw: object) -> dict[str, str]:
    if not isinstance(raw, dict) or not all(isinstance(part, str) and part.strip() for part in [*raw, *raw.values()]):
        raise CellError("not_a_title", found=raw)
    return {str(key): str(text).strip() for key, text in raw.items()}


_READERS: Mapping[Kind, Callable[[Column, Any], Any]] = {
    "text": _text,
    "whole": _whole,
    "number": _number,
    "yesno": _yesno,
    "choice": _choice,
    "many": _many,
    "mapping": _mapping,
}


def row_from(row: type[Row], cells: Mapping[str, Any], place: Place) -> tuple[Row | None, list[Issue]]:
    """A row from its raw cells by column name, or every fault in them."""
    table = columns(row)
    issues: list[Issue] = []
    values: dict[str, Any] = {}
    extra: dict[str, str] = {}
    meant: set[str] = set()
    for name, raw in cells.items():
        column = table.get(name)
        try:
            if column is not None:
                read = value(column, raw)
                if read is not None:
                    values[name] = read
            elif name.startswith(OWN):
                if raw is not None and raw != "":
                    extra[name] = str(raw)
            else:
                hint = closest(name, [other for other in table if other not in cells])
                meant.add(hint)
                raise CellError("unknown_column", found=name, hint=hint, expected=", ".join(table))
        except CellError as fault:
            issues.append(error(fault.key, place, name, **fault.params))
    # Only columns that were not even offered, not even misspelt: a blank or unreadable cell has had its say.
    absent = [name for name, column in table.items() if column.filled and name not in cells and name not in meant]
    issues.extend(error("blank", place, name) for name in absent)
    if issues:
        return None, issues
    try:
        return row(**values, extra=extra, place=place), []
    except ValidationError as fault:
        return None, [_issue(detail, place) for detail in fault.errors(include_url=False)]


def _issue(detail: Any, place: Place) -> Issue:
    """The words for a fault found by the row class."""
    context = dict(detail.get("ctx") or {})
    if detail["type"] == "row_rule":
        return error(context.pop("key"), place, context.pop("column"), **context)
    column, found = str(detail["loc"][0]), detail["input"]
    for name, key in (("ge", "too_small"), ("gt", "not_above"), ("le", "too_large"), ("lt", "not_below")):
        if name in context:
            limit = context[name]
            if name in ("le", "lt") and limit <= 1 and 1 < found <= 100:
                return error("percent_for_fraction", place, column, found=_short(found), expected=_short(found / 100))
            return error(key, place, column, found=_short(found), expected=_short(limit))
    if detail["type"] in ("string_pattern_mismatch", "string_too_long"):
        return error("bad_id", place, column, found=str(found)[:80])
    return error("refused", place, column, found=str(found)[:80], reason=detail["msg"])


def _short(number: object) -> str:
    return f"{number:.12g}" if isinstance(number, int | float) else str(number)
