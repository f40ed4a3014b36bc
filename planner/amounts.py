"""Amounts as people read them: digits, units and money in their language."""

import math
import re
from collections.abc import Iterable
from typing import NamedTuple

from planner.text import messages, t

SIGNIFICANT = 4
"""Digits that a printed number keeps at least [-]."""


class Shown(NamedTuple):
    """How a unit is shown: what a number is multiplied with, and the name of the unit."""

    factor: float
    name: str


# Chinese counts in 万 and 亿, not in thousands: what a unit of a table is in the unit a Chinese reader expects.
CHINESE: dict[str, Shown] = {
    "kt": Shown(0.1, "万吨"),
    "Mt": Shown(100, "万吨"),
    "ktce": Shown(0.1, "万吨标准煤"),
    "Mtce": Shown(100, "万吨标准煤"),
    "MW": Shown(0.1, "万千瓦"),
    "GW": Shown(100, "万千瓦"),
    "MWh": Shown(0.1, "万千瓦时"),
    "GWh": Shown(0.01, "亿千瓦时"),
    "TWh": Shown(10, "亿千瓦时"),
    "hm**3": Shown(0.01, "亿立方米"),
}
# A price is read per tonne or kilowatt hour, whatever the quantity is counted in.
PRICED: dict[str, Shown] = {
    "kt": Shown(1e-3, "t"),
    "Mt": Shown(1e-6, "t"),
    "ktce": Shown(1e-3, "tce"),
    "Mtce": Shown(1e-6, "tce"),
    "MW": Shown(1e-3, "kW"),
    "GW": Shown(1e-6, "kW"),
    "MWh": Shown(1e-3, "kWh"),
    "GWh": Shown(1e-6, "kWh"),
    "TWh": Shown(1e-9, "kWh"),
    "hm**3": Shown(1e-6, "m**3"),
    "km**2": Shown(1e-6, "m**2"),
}
MONEY = {
    "one": 1.0,
    "thousand": 1e3,
    "10 thousand": 1e4,
    "million": 1e6,
    "100 million": 1e8,
    "billion": 1e9,
}
CHINESE_MONEY = {"thousand": "10 thousand", "million": "100 million", "billion": "100 million"}
"""Units of money that Chinese readers do not use, and what they use instead."""
COUNTS = {"hundred": 1e2, "thousand": 1e3, "ten thousand": 1e4, "million": 1e6, "1M": 1e6}
POWERS = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")


def unit(name: str, lang: str) -> Shown:
    """How a physical unit is shown; a number it begins with goes into the factor.

    >>> unit("kt", "zh"), unit("km**2", "en").name
    (Shown(factor=0.1, name='万吨'), 'km²')
    >>> unit("kt_clinker_per_year", "en").name, unit("kt_clinker_per_year", "zh")
    ('kt clinker/yr', Shown(factor=0.1, name='万吨熟料/年'))
    >>> unit("10k vehicles", "en"), unit("10k vehicles", "zh")
    (Shown(factor=10000.0, name='vehicles'), Shown(factor=1.0, name='万辆'))
    """
    factor, count, words = _counted(re.sub(r"_per_", "/", name).replace("_", " ").strip(), lang)
    head = re.match(r"[\w*]+", words)
    if lang == "zh" and not count and head and head[0] in CHINESE:
        shown = CHINESE[head[0]]
        return Shown(factor * shown.factor, shown.name + _written(words[head.end() :], lang))
    gap = " " if count and lang == "en" else ""
    return Shown(factor, count + gap + _written(words, lang))


def _counted(name: str, lang: str) -> tuple[float, str, str]:
    """The number a unit begins with, split into a factor and a word, and the rest of the unit."""
    match = re.match(r"(ten thousand|hundred|thousand|million|10+k?|1M?)\s+(?=\S)", name)
    if match is None:
        return 1.0, "", name
    size = COUNTS.get(match[1]) or float(match[1].replace("k", "000"))
    rest = name[match.end() :]
    if lang == "zh" and size >= 1e4:
        return size / 1e4, "万", rest
    if lang == "en" and size >= 1e6:
        return size / 1e6, "million", rest
    return size, "", rest


def per_unit(name: str, lang: str) -> Shown:
    """How a price per physical unit is shown: a price per kt is read per t.

    >>> per_unit("kt", "zh")
    Shown(factor=0.001, name='吨')
    """
    shown = PRICED.get(name, Shown(1.0, name))
    return Shown(shown.factor, _written(shown.name, lang))


def _written(name: str, lang: str) -> str:
    """A unit word by word: translated where the words are known, powers raised."""
    known = messages()
    parts = re.findall(r"[\w*]+|[^\w*]+", name)
    shown = []
    while parts:
        phrase = "".join(parts[:3])
        taken = 3 if f"unit.{phrase}" in known else 1
        word = "".join(parts[:taken])
        shown.append(known[f"unit.{word}"][lang] if f"unit.{word}" in known else word)
        parts = parts[taken:]
    text = re.sub(r"\*\*(-?\d+)", lambda power: power[1].translate(POWERS), "".join(shown))
    return re.sub(r"(?<=[^\x00-\x7f]) +| +(?=[^\x00-\x7f])", "", text) if lang == "zh" else text


def currency(code: str, lang: str) -> str:
    """Name of a currency.

    >>> currency("CNY", "zh"), currency("CNY", "en"), currency("XYZ", "zh")
    ('元', 'CNY', 'XYZ')
    """
    key = f"currency.{code}"
    return messages()[key][lang] if key in messages() else code


def money(money_unit: str, code: str, lang: str) -> Shown:
    """How money is shown: the unit of the case, in Chinese the nearest of 元, 万元 and 亿元.

    >>> money("million", "CNY", "en"), money("million", "CNY", "zh")
    (Shown(factor=1e-06, name='million CNY'), Shown(factor=1e-08, name='亿元'))
    """
    if lang == "zh":
        money_unit = CHINESE_MONEY.get(money_unit, money_unit)
    return Shown(1 / MONEY[money_unit], t(f"money.{money_unit}", lang, currency=currency(code, lang)).strip())


def decimals(values: Iterable[float], digits: int = SIGNIFICANT) -> int:
    """Decimals with which the largest of `values` keeps so many digits; none where all are whole [-].

    >>> decimals([7268.2, 3.1]), decimals([72.68]), decimals([90.0, 450.0]), decimals([])
    (0, 2, 0, 0)
    """
    finite = [abs(value) for value in values if math.isfinite(value)]
    return 0 if _whole(finite) else _places(max(finite), digits)


def _whole(amounts: Iterable[float]) -> bool:
    return all(abs(amount - round(amount)) <= 1e-6 * amount or amount < 1e-9 for amount in amounts)


def _places(size: float, digits: int) -> int:
    return max(0, digits - 1 - math.floor(math.log10(size)))


def fine_decimals(values: Iterable[float], most: int = 3) -> int:
    """Decimals with which the smallest of `values` that is not zero keeps three digits, at most `most` [-].

    >>> fine_decimals([13500.0, 6.75]), fine_decimals([300.0, 160.0, 0.0]), fine_decimals([25.0, 1.6])
    (2, 0, 2)
    """
    sizes = [abs(value) for value in values if value and math.isfinite(value)]
    return 0 if _whole(sizes) else min(most, _places(min(sizes), 3))


def number(value: float, places: int | None = None) -> str:
    """A number with separators and so many decimals, else as many as its size asks for.

    >>> number(7268161480.0), number(72.6816), number(0.0), number(-0.0001, 2)
    ('7,268,161,480', '72.68', '0', '0.00')
    """
    text = f"{value:,.{decimals([value]) if places is None else places}f}"
    return text.removeprefix("-") if not text.strip("-0.,") else text
