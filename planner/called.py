"""What people call a pin or a group: the tables give them no names, so their measures, years and amounts speak."""

from planner import amounts
from planner.amounts import decimals, number
from planner.case import Case
from planner.text import t

NAMED = 2
"""Members of a group told by name [-]."""


def named(case: Case, table: str, id_: str, lang: str) -> str:
    """Name of a measure or city."""
    row = next((row for row in case.rows(table) if row.ids()[0] == id_), None)
    return str(getattr(row, f"name_{lang}", None) or getattr(row, "name_en", None) or id_)


def pin_name(case: Case, pin: str, lang: str) -> str:
    """What a pin asks for: measure, city, years, least and most."""
    row = next((row for row in case.pins if row.pin == pin), None)
    if row is None:
        return pin
    first, last = row.first_year or case.settings.first_year, row.last_year or case.settings.last_year
    unit = amounts.unit(next(m.unit for m in case.measures if m.measure == row.measure), lang)
    asked = [(sign, bound * unit.factor) for sign, bound in (("≥", row.min), ("≤", row.max)) if bound is not None]
    if row.min is not None and row.min == row.max:
        asked = [("=", asked[0][1])]
    gap = " " if lang == "en" else ""
    bounds = t("called.and", lang).join(
        f"{sign}{gap}{number(value, decimals([value]))}{gap}{unit.name}" for sign, value in asked
    )
    words = {
        "name": named(case, "measures", row.measure, lang),
        "city": t("called.city", lang, city=named(case, "cities", row.city, lang)) if row.city else "",
        "years": str(first) if first == last else f"{first}-{last}",
        "bounds": bounds,
    }
    return t(f"called.pin_{row.on}", lang, **words)


def group_name(case: Case, group: str, lang: str) -> str:
    """The measures that a group ties together, those that need others before them, and its city."""
    rows = [row for row in case.groups if row.group == group]
    if not rows:
        return group
    sides = []
    for roles in (("member", "dependent"), ("provider",)):
        own = list(dict.fromkeys(row.measure for row in rows if row.role in roles))
        names = t("called.or", lang).join(named(case, "measures", m, lang) for m in own[:NAMED])
        if own:
            sides.append(names if len(own) <= NAMED else t("called.more", lang, names=names, count=len(own) - NAMED))
    city = rows[0].city
    place = t("called.city", lang, city=named(case, "cities", city, lang)) if city else ""
    return " → ".join(sides) + place
