"""A diagnosis in words, in either language, and as plain data."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from planner import amounts
from planner.case import Case
from planner.conflict.changes import Ambition, Change, Later, Money
from planner.conflict.diagnosis import Clash, Diagnosis, Member
from planner.conflict.model import Element
from planner.conflict.relax import Give
from planner.conflict.repair import Line, Part
from planner.errors import Place
from planner.rows import Target, is_money
from planner.text import LANGUAGES, t

NAMED = 5
"""Names told of what is told together."""
FRACTIONS = ("change", "intensity", "share")
"""Kinds of target whose value is a fraction."""
GIVES = 20
"""Rows of the relaxation told."""


def exact(number: float) -> str:
    """A number with all its digits.

    >>> exact(1234567.5), exact(0.183)
    ('1,234,567.5', '0.183')
    """
    return f"{number:,.12g}"


class Words:
    """Names and amounts of one case in one language."""

    def __init__(self, case: Case, lang: str) -> None:
        self.case, self.lang = case, lang
        self._names: dict[tuple[str, str], str] = {}
        for table in ("quantities", "measures", "targets", "budgets"):
            for row in case.rows(table):
                name = getattr(row, f"name_{lang}", None) or getattr(row, "name_en", None)
                if name:
                    self._names.setdefault((table, str(row.ids()[0])), str(name))

    def t(self, key: str, **params: object) -> str:
        """Words of a diagnosis."""
        return t(f"conflict.{key}", self.lang, **params)

    def name(self, element: Element) -> str:
        """What people call it."""
        if element.kind in ("target", "budget"):
            return self._names.get((element.kind + "s", element.id), element.id)
        if element.kind == "floor":
            return self._names.get(("quantities", element.id), element.id)
        if element.kind == "pin":
            pin = next(row for row in self.case.pins if row.pin == element.id)
            return self.t("member.named", id=element.id, measures=self._measures([pin.measure]))
        if element.kind == "group":
            rows = [row.measure for row in self.case.groups if row.group == element.id]
            return self.t("member.named", id=element.id, measures=self._measures(dict.fromkeys(rows)))
        return self._measures([element.id])

    def plain(self, element: Element) -> str:
        """What it is and what people call it, a group by its id."""
        return self.t(f"member.{element.kind}", name=element.id if element.kind == "group" else self.name(element))

    def _measures(self, ids: Iterable[str]) -> str:
        return self.many([self._names.get(("measures", m), m) for m in ids])

    def many(self, names: Sequence[str]) -> str:
        """Some names, and how many more."""
        joint = self.t("member.joined")
        if len(names) <= NAMED:
            return joint.join(names)
        count = len(names) - NAMED if self.lang == "en" else len(names)
        return self.t("member.many", names=joint.join(names[:NAMED]), count=count)

    def place(self, place: Place) -> str:
        """File and number of a row."""
        if place.row is None:
            return _short_path(place.file)
        key = "member.edit" if place.counted == "edit" else "member.place"
        if key == "member.edit" and place.file == "edits":
            key = "member.own"
        return self.t(key, file=_short_path(place.file), row=place.row)

    # ---- amounts

    def money(self, value: float) -> str:
        """Money in the unit of screens."""
        shown = amounts.money(self.case.settings.money_unit, self.case.settings.currency, self.lang)
        return self.t("amount", number=exact(value * shown.factor), unit=shown.name)

    def physical(self, value: float, unit: str) -> str:
        """An amount in a unit of the tables."""
        shown = amounts.unit(unit, self.lang)
        return self.t("amount", number=exact(value * shown.factor), unit=shown.name)

    def quantity(self, value: float, quantity: str) -> str:
        """An amount of a quantity, or of money where it is one of its names."""
        if is_money(quantity):
            return self.money(value)
        return self.physical(value, next(row.unit for row in self.case.quantities if row.quantity == quantity))

    def percent(self, part: float) -> str:
        """A part of a whole."""
        return self.t("percent", number=exact(part * 100))

    def rough(self, part: float) -> str:
        """A part of a whole with three digits."""
        return self.t("percent", number=f"{part * 100:.3g}")

    def of(self, change: Change, value: float, size: bool = False) -> str:
        """A number that a change moves, or the size it moves by, in its unit."""
        if change.whole and size:
            return self.t("year") if value == 1 else self.t("years", number=int(value))
        if change.whole:
            return str(int(value))
        if isinstance(change, Ambition):
            target = change.target
            if change.column == "decline" or target.kind in FRACTIONS:
                return self.t("points", number=exact(value * 100)) if size else self.percent(value)
            return self.quantity(value, target.quantity)
        if isinstance(change, Money):
            return self.money(value)
        if change.kind in ("potential", "ramp") or len(change.elements) > 1:
            return self.percent(value)
        if change.kind == "floor":
            return self.quantity(value, change.element.id)
        if change.element.kind == "pin":
            pin = next(row for row in self.case.pins if row.pin == change.element.id)
            return self.physical(value, next(row.unit for row in self.case.measures if row.measure == pin.measure))
        return exact(value)

    def given(self, give: Give) -> str:
        """What a row gives, in the unit of the row."""
        if give.element.kind == "target":
            target = next(row for row in self.case.targets if row.target == give.element.id)
            return self.quantity(_short(give.amount), target.quantity)
        if give.element.kind == "budget":
            return self.money(_short(give.amount))
        if give.element.kind == "floor":
            return self.quantity(_short(give.amount), give.element.id)
        if give.element.kind == "pin":
            pin = next(row for row in self.case.pins if row.pin == give.element.id)
            unit = next(row.unit for row in self.case.measures if row.measure == pin.measure)
            return self.physical(_short(give.amount), unit)
        return exact(_short(give.amount))

    # ---- sentences

    def member(self, member: Member) -> str:
        """What takes part in a clash, its years and its rows."""
        plain = member.kind == "group" and len(member.ids) > 1
        names = list(member.ids) if plain else [self.name(Element(member.kind, id_)) for id_ in member.ids]
        what = self.t(f"member.{member.kind}", name=self.many(names))
        asked = self.asked(Element(member.kind, member.ids[0])) if len(member.ids) == 1 else ""
        years = self.t("member.years", years=runs(member.years)) if member.years and not self._spans(member) else ""
        told = self.t("member.asked", asked=asked) if asked else ""
        return self.t("member.line", what=what, years=years, asked=told, where=self.where(member.places))

    def _spans(self, member: Member) -> bool:
        """Whether it is one sum over years, which the year of its row does not name."""
        return member.kind == "budget" and any(r.budget == member.ids[0] and r.per == "span" for r in self.case.budgets)

    def asked(self, element: Element) -> str:
        """What it asks for or allows, as the tables say it."""
        if element.kind == "target":
            return self._target(next(row for row in self.case.targets if row.target == element.id))
        if element.kind == "budget":
            rows = [row for row in self.case.budgets if row.budget == element.id]
            ends = sorted({row.limit for row in rows})
            words = [self.money(_short(end)) for end in dict.fromkeys((ends[0], ends[-1]))]
            return self.t(f"asked.{rows[0].per}", amount=self.t("asked.to").join(words))
        if element.kind == "pin":
            pin = next(row for row in self.case.pins if row.pin == element.id)
            unit = next(row.unit for row in self.case.measures if row.measure == pin.measure)
            sides = (("least", pin.min), ("most", pin.max))
            told = [self.t(f"asked.{side}", amount=self.physical(end, unit)) for side, end in sides if end is not None]
            return self.t("member.joined").join(told)
        if element.kind == "floor":
            floor = next(row.floor for row in self.case.quantities if row.quantity == element.id)
            return "" if floor is None else self.t("asked.least", amount=self.quantity(floor, element.id))
        if element.kind == "group":
            return ""
        measure = next(row for row in self.case.measures if row.measure == element.id)
        if element.kind == "ramp":
            return self.t("asked.ramp", part=self.percent(measure.ramp))
        if element.kind == "potential":
            cities: dict[str, float] = {}
            for row in self.case.potentials:
                if row.measure == element.id:
                    cities[row.city] = max(row.potential, cities.get(row.city, 0.0))
            return self.t("asked.potential", amount=self.physical(_short(sum(cities.values())), measure.unit))
        if element.kind == "first_year":
            return str(measure.first_year or "")
        if element.kind == "lead_time":
            return self.t("year") if measure.lead_time == 1 else self.t("years", number=measure.lead_time)
        return ""

    def _target(self, target: Target) -> str:
        if target.kind == "peak":
            fall = self.percent(target.decline or 0.0)
            return self.t("asked.peak", year=target.by, decline=fall)
        if target.value is None:
            return ""
        side = "least" if target.sense == ">=" else "most"
        change = target.kind in FRACTIONS
        amount = self.percent(target.value) if change else self.quantity(target.value, target.quantity)
        return self.t(f"asked.{side}", amount=amount)

    def where(self, places: Sequence[Place]) -> str:
        """The first row, and how many more."""
        if not places:
            return ""
        first = self.place(places[0])
        if len(places) == 1:
            return first
        return self.t("member.places", place=first, count=len(places) - 1 if self.lang == "en" else len(places))

    def part(self, part: Part) -> str:
        """A change and its size."""
        change, after = part.change, part.change.after(part.size)
        key = "longer" if isinstance(change, Later) and change.sums else change.kind
        if isinstance(change, Ambition) and key == "value":
            key = "value_least" if change.target.sense == ">=" else "value_most"
        names = self.many([self.name(element) for element in change.elements])
        params: dict[str, object] = {
            "name": names,
            "count": len(change.elements),
            "size": self.of(change, part.size, size=True),
        }
        if after is not None and change.before is not None:
            params |= {"before": self.of(change, change.before), "after": self.of(change, after)}
        if isinstance(change, Money):
            params["year"] = change.year
        return self.t(f"change.{key}", **params)

    def line(self, line: Line) -> str:
        """A line of the menu, without its price."""
        return self.t("menu.and").join(self.part(part) for part in line.parts)


def _short_path(file: str) -> str:
    """A file without the steps up to what it shares with the case.

    >>> _short_path("../../data/jiangxi/measures.csv")
    'data/jiangxi/measures.csv'
    """
    while file.startswith("../"):
        file = file.removeprefix("../")
    return file


def _short(number: float) -> float:
    return float(f"{number:.4g}")


def runs(years: Sequence[int]) -> str:
    """Years with runs drawn together.

    >>> runs([2021, 2022, 2023, 2025])
    '2021-2023, 2025'
    """
    found: list[list[int]] = []
    for year in years:
        if found and year == found[-1][1] + 1:
            found[-1][1] = year
        else:
            found.append([year, year])
    return ", ".join(str(a) if a == b else f"{a}-{b}" for a, b in found)


def line_text(case: Case, line: Line, lang: str) -> str:
    """A line of the repair menu with its price, in words."""
    words = Words(case, lang)
    return words.t("menu.line", words=words.line(line), cost=words.money(_short(line.cost)))


def diagnosis_text(diagnosis: Diagnosis, lang: str) -> str:
    """The whole diagnosis in words, a line each."""
    words = Words(diagnosis.case, lang)
    if diagnosis.status == "feasible":
        return words.t("feasible")
    lines = [words.t("title"), words.t(f"proof.{diagnosis.proof}")]
    if diagnosis.lumps:
        lines.append(words.t("lumps"))
    lines += _ceiling_lines(diagnosis, words)
    for number, clash in enumerate(diagnosis.clashes, start=1):
        key = "clash.title" if len(clash.members) > 1 else "clash.single"
        lines += ["", words.t(key, number=number), *(f"  - {words.member(member)}" for member in clash.members)]
    if diagnosis.more:
        lines.append(words.t("clash.more"))
    if "clash" in diagnosis.hurried:
        lines.append(words.t("clash.hurried"))
    if diagnosis.relaxation:
        lines += ["", words.t("relaxation.title")]
        for give in diagnosis.relaxation[:GIVES]:
            amount, part = words.given(give), words.rough(give.part)
            lines.append("  - " + _give(words, give.element, give.year, amount, part))
        if len(diagnosis.relaxation) > GIVES:
            lines.append("  - " + words.t("relaxation.more", count=len(diagnosis.relaxation) - GIVES))
        if diagnosis.together:
            lines.append("  " + words.t("relaxation.alike", part=words.rough(diagnosis.together)))
    if "relaxation" in diagnosis.hurried:
        lines += ["", words.t("relaxation.hurried")]
    return "\n".join(lines + (_menu_lines(diagnosis, words, lang) if diagnosis.searched else []))


class Telling:
    """Says a diagnosis while it is being made: what is final as soon as it is known, the ways out at the end, or when
    it is left early.
    """

    def __init__(self, lang: str, say: Callable[[str], None]) -> None:
        self.lang, self.say = lang, say
        self._last: Diagnosis | None = None
        self._said: list[str] = []

    def __enter__(self) -> "Telling":
        return self

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, trace: Any) -> None:
        if kind is not None and self._last is not None:
            self.end(self._last)

    def now(self, diagnosis: Diagnosis) -> None:
        """Say what is new and final."""
        self._last = diagnosis
        self._say(replace(diagnosis, searched=False))

    def end(self, diagnosis: Diagnosis) -> None:
        """Say the rest."""
        self._last = None
        self._say(diagnosis)

    def _say(self, diagnosis: Diagnosis) -> None:
        lines = diagnosis_text(diagnosis, self.lang).split("\n")
        if lines != self._said:
            self.say("\n".join(lines[len(self._said) :]))
        self._said = lines


def _menu_lines(diagnosis: Diagnosis, words: Words, lang: str) -> list[str]:
    lines = [""]
    if diagnosis.menu:
        single = any(len(line.parts) == 1 for line in diagnosis.menu)
        lines.append(words.t("menu.title" if single else "menu.pair"))
        lines += [f"  {n}. {line_text(diagnosis.case, line, lang)}" for n, line in enumerate(diagnosis.menu, start=1)]
    elif not diagnosis.unsized:
        lines.append(words.t("menu.none"))
    never = [words.name(one.element) for one in diagnosis.alone if one.size == float("inf")]
    if never:
        lines.append(words.t("alone.never", names=words.many(never)))
    if diagnosis.unsized:
        left = words.many([words.plain(element) for element in diagnosis.unsized])
        lines.append(words.t("menu.unsized", names=left))
    return lines


def _give(words: Words, element: Element, year: int, amount: str, part: str) -> str:
    return words.t("relaxation.give", name=words.name(element), year=year, amount=amount, part=part)


def _ceiling_lines(diagnosis: Diagnosis, words: Words) -> list[str]:
    rows = diagnosis.impossible
    if rows.empty:
        return []
    lines = ["", words.t("ceiling.title")]
    targets = {row.target: row for row in diagnosis.case.targets}
    for _, row in rows.iterrows():
        target = targets[str(row["target"])]

        def said(value: float, measure: str = str(row["measure"]), quantity: str = target.quantity) -> str:
            short = _short(value)
            return words.percent(short) if measure == "ratio" else words.quantity(short, quantity)

        known = bool(pd.notna(row["best"]))
        params = {"asked": said(float(row["asked"]))} | ({"best": said(float(row["best"]))} if known else {})
        name = words.name(Element("target", target.target))
        key = "ceiling.least" if known else "ceiling.none"
        lines.append("  - " + words.t(key, name=name, year=row["year"], **params))
    return lines


# Plain data ----------------------------------------------------------------------------------------------------------


def diagnosis_summary(diagnosis: Diagnosis) -> dict[str, Any]:
    """The diagnosis as plain data for `summary.json`: numbers in the units of the tables, words in both languages."""
    words = {lang: Words(diagnosis.case, lang) for lang in LANGUAGES}
    infinite = float("inf")
    return {
        "status": diagnosis.status,
        "proof": diagnosis.proof,
        "lumps": diagnosis.lumps,
        "impossible": _plain(diagnosis.impossible.drop(columns=["impossible", "vacuous", "soft"]).to_dict("records")),
        "clashes": [_clash(clash, words) for clash in diagnosis.clashes],
        "more": diagnosis.more,
        "together": diagnosis.together,
        "relaxation": [
            {"kind": g.element.kind, "id": g.element.id, "year": g.year, "amount": g.amount, "part": g.part}
            for g in diagnosis.relaxation
        ],
        "alone": [
            {
                "kind": one.element.kind,
                "id": one.element.id,
                "change": one.change.kind,
                "size": None if one.size == infinite else one.size,
            }
            for one in diagnosis.alone
        ],
        "repairs": [
            {
                "changes": [
                    {
                        "kind": part.change.kind,
                        "id": part.change.element.id,
                        "size": part.size,
                        "before": part.change.before,
                        "after": part.change.after(part.size),
                    }
                    for part in line.parts
                ],
                "edits": line.edits,
                "cost": line.cost,
                "words": {lang: words[lang].line(line) for lang in LANGUAGES},
            }
            for line in diagnosis.menu
        ],
        "timings": dict(diagnosis.timings),
    }


def _clash(clash: Clash, words: Mapping[Any, Words]) -> dict[str, Any]:
    return {
        "gap": clash.gap if clash.gap < float("inf") else None,
        "proof": clash.proof,
        "members": [
            {
                "kind": member.kind,
                "ids": list(member.ids),
                "years": list(member.years),
                "weight": member.weight,
                "rows": [{"file": place.file, "row": place.row, "counted": place.counted} for place in member.places],
                "words": {str(lang): each.member(member) for lang, each in words.items()},
            }
            for member in clash.members
        ],
    }


def _plain(records: Sequence[Mapping[Any, Any]]) -> list[dict[str, Any]]:
    """Records with numbers that JSON knows."""
    return [
        {
            str(name): None if pd.isna(value) else getattr(value, "item", lambda v=value: v)()
            for name, value in r.items()
        }
        for r in records
    ]
