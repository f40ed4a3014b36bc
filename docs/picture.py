"""Draws the picture of the README: what the plan does to the main quantity, and when its largest measures start.

    python docs/picture.py cases/jiangxi plan docs/plan.svg --lang en

The first argument is the case, the second the folder that `planner solve CASE --out` wrote.
"""

import argparse
from collections.abc import Sequence
from html import escape
from pathlib import Path

from planner.amounts import number
from planner.highlights import largest_measures, levels, lines, main_quantity, peak_year
from planner.plan import Plan
from planner.show.layout import Page
from planner.sources import edited_case, read_plan

COLOURS = ("#0F766E", "#E3A008", "#3B6FB6", "#C2553B", "#7A9E3D", "#8C6BB1", "#5FA8A0", "#A67C52", "#6B7280", "#B08968")
INK, QUIET, BORDER, TARGET = "#1C2B2A", "#5B6B69", "#DCE5E3", "#B91C1C"
FONT = "'Noto Sans SC','Noto Sans CJK SC','PingFang SC','Microsoft YaHei',sans-serif"
WIDTH, HEIGHT = 1200, 560
LEFT, TOP, RIGHT, BOTTOM = 70, 96, 640, 500
"""Frame of the chart on the left."""
ROWS_TOP, ROWS_LEFT, ROWS_RIGHT, ROW = 112, 950, 1170, 33
"""Where the years of the starts are drawn on the right, and the height of a row."""
SMALL = 0.02
"""Sectors with less than this part of the cut are drawn together."""
WORDS = {
    "en": {
        "cut": "{name} without and with the plan [{unit}]",
        "starts": "When the largest measures start",
        "baseline": "without new measures",
        "planned": "with the plan",
        "peak": "peak {year}: {value}",
        "other": "Other",
        "note": "Areas: cut in the sector where it arises. Axis starts at {low}.",
        "scale": "darker: more starts in that year",
    },
    "zh": {
        "cut": "{name}:基准情景与本方案[{unit}]",
        "starts": "投资最大的措施何时启动",
        "baseline": "基准情景",
        "planned": "本方案",
        "peak": "{year}年达峰:{value}",
        "other": "其他",
        "note": "色块:各部门减排量(按排放所在部门)。纵轴起点为 {low}。",
        "scale": "颜色越深,当年启动量越大",
    },
}


Attributes = dict[str, str | float]


class Drawing:
    """Lines of an SVG."""

    def __init__(self) -> None:
        self.parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="{FONT}" '
            f'font-size="14" fill="{INK}">',
            f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#FFFFFF"/>',
        ]

    def text(self, x: float, y: float, words: str, **attributes: str | float) -> None:
        """A text; attributes with `_` for `-`."""
        self.parts.append(f'<text x="{x:.1f}" y="{y:.1f}"{written(attributes)}>{escape(words)}</text>')

    def shape(self, name: str, **attributes: str | float) -> None:
        """Any other element."""
        self.parts.append(f"<{name}{written(attributes)}/>")

    def __str__(self) -> str:
        return "\n".join([*self.parts, "</svg>"]) + "\n"


def written(attributes: Attributes) -> str:
    """Attributes as SVG has them."""
    return "".join(f' {name.replace("_", "-")}="{value}"' for name, value in attributes.items())


def polyline(xs: Sequence[float], ys: Sequence[float]) -> str:
    """Points of a line."""
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in zip(xs, ys, strict=True))


def wedge(drawing: Drawing, page: Page, plan: Plan, quantity: str, words: dict[str, str]) -> None:
    """Baseline, plan, and between them the cut of every sector."""
    unit = page.unit("quantities", quantity)
    of = plan.quantities[plan.quantities["quantity"] == quantity]
    total = levels(plan)
    total = total[total["quantity"] == quantity].set_index("year")
    years = [int(year) for year in total.index]
    base, planned = total["baseline"] * unit.factor, total["planned"] * unit.factor
    cuts = of.assign(cut=(of["baseline"] - of["planned"]) * unit.factor).pivot_table(
        index="year", columns="sector", values="cut", aggfunc="sum"
    )
    size = cuts.sum()
    large = [str(sector) for sector in size[size >= SMALL * size.sum()].sort_values(ascending=False).index]
    parts = {sector: cuts[sector] for sector in large}
    parts[""] = cuts.drop(columns=large).sum(axis=1)  # the rest, together

    step = nice((float(base.max()) - float(planned.min())) / 4)
    low = step * int(float(min(planned.min(), base.min())) * 0.96 // step)
    high = step * (int(float(base.max()) // step) + 1)

    def x(year: int) -> float:
        return LEFT + (RIGHT - LEFT) * (year - years[0]) / (years[-1] - years[0])

    def y(value: float) -> float:
        return BOTTOM - (BOTTOM - TOP) * (value - low) / (high - low)

    tick = low
    while tick <= high + step / 2:
        drawing.shape("line", x1=LEFT, x2=RIGHT, y1=f"{y(tick):.1f}", y2=f"{y(tick):.1f}", stroke=BORDER)
        drawing.text(LEFT - 10, y(tick) + 5, number(tick, 0), text_anchor="end", fill=QUIET, font_size=13)
        tick += step
    for year in years[:: 2 if len(years) > 8 else 1]:
        drawing.text(x(year), BOTTOM + 22, str(year), text_anchor="middle", fill=QUIET, font_size=13)

    xs = [x(year) for year in years]
    below = planned.copy()
    for sector, cut in reversed(parts.items()):
        above = below + cut
        points = polyline(xs + xs[::-1], [y(v) for v in above] + [y(v) for v in below][::-1])
        fill = colour_of(page, sector)
        drawing.shape("polygon", points=points, fill=fill, fill_opacity=0.9, stroke="#FFFFFF", stroke_width=0.6)
        below = above
    for place, sector in enumerate(parts):
        row = TOP + 16 + 22 * place
        drawing.shape("rect", x=LEFT + 14, y=row, width=13, height=13, rx=2, fill=colour_of(page, sector))
        name = page.name("sectors", sector) if sector else words["other"]
        drawing.text(LEFT + 35, row + 11.5, name, font_size=13)
    line: Attributes = {"fill": "none", "stroke_linejoin": "round"}
    drawing.shape(
        "polyline",
        points=polyline(xs, [y(v) for v in base]),
        stroke="#6B7280",
        stroke_width=2,
        stroke_dasharray="6 5",
        **line,
    )
    drawing.shape("polyline", points=polyline(xs, [y(v) for v in planned]), stroke=INK, stroke_width=3, **line)
    middle_year = years[len(years) // 3]
    drawing.text(x(middle_year), y(float(base[middle_year])) - 16, words["baseline"], text_anchor="end", fill=QUIET)
    drawing.text(
        x(years[-3]), y(float(planned[years[-3]])) + 26, words["planned"], font_weight="bold", text_anchor="end"
    )
    top_year, top = peak_year(levels(plan).loc[lambda frame: frame["quantity"] == quantity])
    if top_year < years[-1]:
        drawing.shape("circle", cx=f"{x(top_year):.1f}", cy=f"{y(top * unit.factor):.1f}", r=5, fill=TARGET)
        peak = words["peak"].format(year=top_year, value=f"{number(top * unit.factor, 0)} {unit.name}")
        drawing.text(
            x(top_year) - 4, y(top * unit.factor) + 50, peak, fill=TARGET, text_anchor="end", font_weight="bold"
        )
    drawing.text(LEFT, HEIGHT - 14, words["note"].format(low=number(low, 0)), fill=QUIET, font_size=12)


def colour_of(page: Page, sector: str) -> str:
    """Colour of a sector, by its place in the table; grey for the rest."""
    sectors = [row.sector for row in page.case.sectors] if page.case else []
    return COLOURS[sectors.index(sector) % len(COLOURS)] if sector in sectors else "#9CA3AF"


def nice(step: float) -> float:
    """A round step near `step`.

    >>> nice(17.3), nice(2300.0)
    (20.0, 2000.0)
    """
    power = 10.0 ** (len(str(int(step))) - 1)
    return min((1, 2, 5, 10), key=lambda factor: abs(factor * power - step)) * power


def roadmap(drawing: Drawing, page: Page, plan: Plan, years: Sequence[int], words: dict[str, str]) -> None:
    """A row per measure, a cell per year, darker where more is started."""
    rows = largest_measures(plan, 11)
    sectors = {row.measure: row.sector for row in page.case.measures} if page.case else {}
    starts = plan.portfolio.groupby(["measure", "year"])["starts"].sum()
    width = (ROWS_RIGHT - ROWS_LEFT) / len(years)
    for place, row in enumerate(lines(rows)):
        top = ROWS_TOP + place * ROW
        colour = colour_of(page, sectors[row.measure])
        by_year = [float(starts.get((row.measure, year), 0.0)) for year in years]
        largest = max(by_year) or 1.0
        name = page.name("measures", row.measure)
        drawing.text(
            ROWS_LEFT - 12, top + 18, shortened(name, 34 if page.lang == "en" else 17), text_anchor="end", font_size=13
        )
        for column, amount in enumerate(by_year):
            share = amount / largest
            cell: Attributes = {
                "x": f"{ROWS_LEFT + column * width:.1f}",
                "y": top,
                "width": f"{width - 1.5:.1f}",
                "height": ROW - 8,
            }
            drawing.shape("rect", **cell, rx=2, fill="#EEF3F2")
            if share > 0.001:
                drawing.shape("rect", **cell, rx=2, fill=colour, fill_opacity=f"{0.25 + 0.75 * share:.2f}")
    bottom = ROWS_TOP + len(rows) * ROW + 14
    for column, year in enumerate(years):
        if column % 7 == 0:
            drawing.text(
                ROWS_LEFT + (column + 0.5) * width, bottom, str(year), text_anchor="middle", fill=QUIET, font_size=12
            )
    drawing.text(ROWS_RIGHT, HEIGHT - 14, words["scale"], fill=QUIET, font_size=12, text_anchor="end")


def shortened(name: str, length: int) -> str:
    """A name without what stands in brackets, cut to a length."""
    name = name.split("(", 1)[0].rstrip()
    if len(name) <= length:
        return name
    cut = name[: length - 1]
    return (cut.rsplit(" ", 1)[0] if " " in cut else cut) + " …"


def main() -> None:
    """Read the arguments and draw."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("case")
    parser.add_argument("plan", type=Path)
    parser.add_argument("file", type=Path)
    parser.add_argument("--lang", choices=list(WORDS), default="en")
    asked = parser.parse_args()
    case, plan = edited_case(asked.case), read_plan(asked.plan)
    page, words = Page(asked.lang, case), WORDS[asked.lang]
    quantity = main_quantity(case)
    assert quantity is not None
    drawing = Drawing()
    drawing.text(LEFT - 48, 40, page.title(), font_size=22, font_weight="bold")
    unit = page.unit("quantities", quantity).name
    heading: Attributes = {"font_size": 15, "font_weight": "bold", "fill": "#0F766E"}
    drawing.text(LEFT - 48, 74, words["cut"].format(name=page.quantity(quantity), unit=unit), **heading)
    drawing.text(ROWS_LEFT - 230, 74, words["starts"], **heading)
    wedge(drawing, page, plan, quantity, words)
    roadmap(drawing, page, plan, case.years, words)
    asked.file.write_text(str(drawing), encoding="utf-8")


if __name__ == "__main__":
    main()
