"""What a report is made of, whatever it is written as: chapters of text, tables and charts."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from planner.words import Words


@dataclass(frozen=True)
class Text:
    """A paragraph; a small one is a note under a table or chart."""

    text: str
    small: bool = False


@dataclass(frozen=True)
class Table:
    """A table of text; columns in `right` hold numbers, the last row is a sum when `total`."""

    name: str
    title: str
    heads: Sequence[str]
    rows: Sequence[Sequence[str]]
    right: frozenset[int] = frozenset()
    total: bool = False
    widths: Sequence[float] = ()
    """Shares of the width by column; even where not given [-]."""


@dataclass(frozen=True)
class Chart:
    """A Vega-Lite chart with its data, and what it shows in words for those who cannot see it."""

    name: str
    title: str
    spec: Mapping[str, Any]
    height: int
    alt: str


Block = Text | Table | Chart


@dataclass(frozen=True)
class Chapter:
    """A chapter with its title."""

    title: str
    blocks: Sequence[Block]


@dataclass(frozen=True)
class Document:
    """A whole report."""

    lang: str
    title: str
    subtitle: str
    facts: Sequence[tuple[str, str, str]]
    """Headline: name, number, unit."""
    chapters: Sequence[Chapter]
    closing: str
    """The last line: what the report was made from."""
    labels: Mapping[str, str] = field(default_factory=dict)
    """Words of the frame of the page, such as `contents`."""


def joined(words: Words, names: Sequence[str]) -> str:
    """Names one after the other."""
    return words.t("report.and").join(names)


def percent(value: float, whole: float) -> str:
    """A share with one decimal; nothing without a whole."""
    return f"{100 * value / whole + 0.0:.1f}%".replace("-0.0%", "0.0%") if whole else ""


def with_data(spec: Mapping[str, Any], frame: pd.DataFrame) -> Mapping[str, Any]:
    """A chart with its data inside."""
    clean = frame.astype(object).where(frame.notna(), None)
    return {**spec, "data": {"values": clean.to_dict("records")}}


CJK = "\u3000-\u303f\u4e00-\u9fff\uff00-\uffef“”"
WIDE = str.maketrans(",:;()", "，：；（）")
BESIDE = re.compile(f"(?<=[{CJK}])[,:;()](?!\\d)|[,:;()](?=[{CJK}])")


def typeset(text: str, lang: str) -> str:
    """A paragraph with the punctuation of its language: beside Chinese it is as wide as Chinese.

    >>> typeset("验证通过:已证明最优(相关系数0.5)。1,200 项", "zh")
    '验证通过：已证明最优（相关系数0.5）。1,200 项'
    """
    return BESIDE.sub(lambda mark: mark[0].translate(WIDE), text) if lang == "zh" else text
