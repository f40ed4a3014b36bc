"""Charts: constant Vega-Lite dictionaries. Data comes beside them as a frame whose columns each function names."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

Spec = dict[str, Any]

SECTORS = (
    *("#0F766E", "#E3A008", "#3B6FB6", "#C2553B", "#7A9E3D"),
    *("#8C6BB1", "#5FA8A0", "#A67C52", "#D48AA8", "#64748B"),
)
"""Colours of sectors, in the order of their table, on every chart."""
PICKED = "picked"
"""Name of the selection that a click on a chart makes."""
PRIMARY = "#0F766E"
TARGET = "#B91C1C"


@dataclass(frozen=True)
class Ground:
    """Colours that depend on what a chart stands on."""

    ink: str
    baseline: str
    paper: str
    target: str = TARGET
    primary: str = PRIMARY


LIGHT = Ground("#1C2B2A", "#7B8A88", "#FFFFFF")
DARK = Ground("#E6EEEC", "#93A3A0", "#0E1615", "#F87171", "#2FB5A5")


def _of(*parts: str) -> list[Spec]:
    """Only rows of these parts."""
    return [{"filter": {"field": "part", "oneOf": list(parts)}}]


def _years(title: str | None = None) -> Spec:
    """An axis of whole years."""
    axis = {"format": "d", "tickMinStep": 1, "grid": False, "title": title, "labelOverlap": True}
    return {"field": "year", "type": "quantitative", "axis": axis, "scale": {"nice": False, "zero": False}}


def _last(text: str, colour: str, part: str, above: bool) -> Spec:
    """The name of a line beside its last point."""
    return {
        "transform": [
            *_of(part),
            {"joinaggregate": [{"op": "max", "field": "year", "as": "last"}]},
            {"filter": "datum.year == datum.last"},
        ],
        "mark": {
            "type": "text",
            "align": "right",
            "dy": -9 if above else 14,
            "color": colour,
            "fontWeight": "bold",
            "fontSize": 13,
            "text": text,
        },
        "encoding": {"y": {"field": "value", "type": "quantitative"}},
    }


def _line(part: str, colour: str, width: float, dash: tuple[int, ...] = ()) -> Spec:
    mark = {"type": "line", "color": colour, "strokeWidth": width, "strokeDash": list(dash)}
    return {"transform": _of(part), "mark": mark, "encoding": {"y": {"field": "value", "type": "quantitative"}}}


def _ceiling(ground: Ground) -> Spec:
    """What targets allow, as a red tick in each of their years."""
    return {
        "transform": _of("target"),
        "mark": {
            "type": "tick",
            "orient": "horizontal",
            "color": ground.target,
            "thickness": 3,
            "size": 22,
            "opacity": 1,
        },
        "encoding": {"y": {"field": "value", "type": "quantitative"}},
    }


def _missed(ground: Ground) -> Spec:
    """What the plan emits beyond what targets allow, hatched."""
    return {
        "transform": _of("missed"),
        "mark": {"type": "rule", "color": ground.target, "strokeWidth": 22, "strokeDash": [2, 3], "opacity": 0.8},
        "encoding": {"y": {"field": "low", "type": "quantitative"}, "y2": {"field": "high"}},
    }


def _clicked(field: str) -> list[Spec]:
    """A click picks a mark by one of its fields."""
    return [{"name": PICKED, "select": {"type": "point", "fields": [field], "on": "click", "toggle": False}}]


def _narrow(most: int) -> Spec:
    """Room for names beside a chart: less where the screen is narrow [px]."""
    return {"expr": f"min({most}, 0.4 * containerSize()[0])"}


LINE = 84
"""What a line of a legend holds beside another chart, in narrow signs [-]."""
WIDE = 0x2E80
"""Signs from here on are twice as wide."""


def _legend(names: Collection[str]) -> Spec:
    """Below the chart, in fewer columns where names are long."""
    widest = max((sum(2 if ord(sign) > WIDE else 1 for sign in name) for name in names), default=0)
    columns = max(2, min(6, LINE // (widest + 4)))
    return {"orient": "bottom", "title": None, "symbolType": "square", "columns": columns, "labelLimit": 300}


def _hover(words: Mapping[str, str], value: str, part: str, shown: str, names: Mapping[str, str]) -> Spec:
    """Unseen bars that answer the pointer: an area or a line has no points of its own."""
    label = {"field": shown, "type": "nominal", "title": words.get(shown, "")}
    return {
        "transform": [
            *_of(part),
            *({"calculate": f"datum.part == '{p}' ? '{n}' : ''", "as": shown} for p, n in names.items()),
        ],
        "mark": {"type": "bar", "opacity": 0, "size": 44},
        "encoding": {
            "y": {"field": "low", "type": "quantitative"},
            "y2": {"field": "high"},
            "tooltip": [
                {"field": "year", "type": "quantitative", "format": "d", "title": words["year"]},
                label,
                {"field": "value", "type": "quantitative", "format": ",.4~r", "title": value},
            ],
        },
    }


def wedge(words: Mapping[str, str], colours: Mapping[str, str], ground: Ground = LIGHT) -> Spec:
    """What each sector cuts between baseline and plan. Frame: part, year, sector, low, high, value.

    Parts are `cut` (areas from low to high), `missed` (hatched from low to high), `baseline`, `planned` and `target`
    (value). Words: value, cut, year,
    sector, baseline, plan, target.
    """
    scale = {"domain": list(colours), "range": list(colours.values())}
    legend = _legend(colours)
    high = {
        "field": "high",
        "type": "quantitative",
        "title": words["value"],
        "scale": {"zero": False, "padding": 18},
        "axis": {"tickCount": 8},
    }
    area: Spec = {
        "transform": _of("cut"),
        "mark": {"type": "area", "opacity": 0.9, "stroke": ground.paper, "strokeWidth": 0.6},
        "encoding": {
            "y": high,
            "y2": {"field": "low"},
            "color": {"field": "sector", "type": "nominal", "scale": scale, "legend": legend},
        },
    }
    return {
        "encoding": {"x": _years()},
        "layer": [
            area,
            _line("baseline", ground.baseline, 2, (6, 4)),
            _line("planned", ground.ink, 3),
            _missed(ground),
            _ceiling(ground),
            _last(words["baseline"], ground.baseline, "baseline", above=True),
            _last(words["plan"], ground.ink, "planned", above=False),
            _hover(words, words["cut"], "cut", "sector", {}),
        ],
    }


def paths(words: Mapping[str, str], ground: Ground = LIGHT) -> Spec:
    """Baseline and plan of one quantity. Frame: part (baseline, planned, target), year, value.

    Words: value, year, baseline, plan.
    """
    tooltip = [
        {"field": "year", "type": "quantitative", "format": "d", "title": words["year"]},
        {"field": "value", "type": "quantitative", "format": ",.4~r", "title": words["value"]},
    ]
    y = {
        "field": "value",
        "type": "quantitative",
        "title": words["value"],
        "scale": {"zero": False, "padding": 18},
        "axis": {"tickCount": 6},
    }
    dots: Spec = {
        "transform": _of("baseline", "planned"),
        "mark": {"type": "point", "filled": True, "size": 30, "opacity": 1},
        "encoding": {
            "y": y,
            "color": {
                "field": "part",
                "type": "nominal",
                "scale": {"domain": ["baseline", "planned"], "range": [ground.baseline, ground.primary]},
                "legend": None,
            },
            "tooltip": tooltip,
        },
    }
    return {
        "encoding": {"x": _years()},
        "layer": [
            _line("baseline", ground.baseline, 2, (6, 4)),
            _line("planned", ground.primary, 3),
            _ceiling(ground),
            dots,
            _last(words["baseline"], ground.baseline, "baseline", above=True),
            _last(words["plan"], ground.primary, "planned", above=False),
        ],
    }


def frontier(words: Mapping[str, str], ground: Ground = LIGHT) -> Spec:
    """Least cost against the sum of a quantity. Frame: part (frontier, plan), point, total, cost.

    Words: total, cost, current, point.
    """
    axes: Spec = {
        "x": {
            "field": "total",
            "type": "quantitative",
            "title": words["total"],
            "scale": {"zero": False, "padding": 24},
            "axis": {"grid": False, "tickCount": 8},
        },
        "y": {"field": "cost", "type": "quantitative", "title": words["cost"], "scale": {"zero": False, "padding": 24}},
    }
    tooltip = [
        {"field": "point", "type": "quantitative", "title": words["point"]},
        {"field": "total", "type": "quantitative", "format": ",.5~r", "title": words["total"]},
        {"field": "cost", "type": "quantitative", "format": ",.4~r", "title": words["cost"]},
    ]
    line: Spec = {
        "transform": _of("frontier"),
        "mark": {"type": "line", "color": ground.primary, "strokeWidth": 2.5},
        "encoding": {"order": {"field": "total", "type": "quantitative"}},
    }
    points: Spec = {
        "transform": _of("frontier"),
        "mark": {
            "type": "point",
            "filled": True,
            "fill": ground.paper,
            "stroke": ground.primary,
            "size": 110,
            "opacity": 1,
        }
        | {"cursor": "pointer"},
        "encoding": {"tooltip": tooltip},
        "params": _clicked("point"),
    }
    here: Spec = {
        "transform": _of("plan"),
        "mark": {"type": "point", "shape": "diamond", "filled": True, "color": "#E3A008", "stroke": ground.ink}
        | {"size": 220, "opacity": 1, "strokeWidth": 1.5},
        "encoding": {"tooltip": tooltip[1:]},
    }
    name: Spec = {
        "transform": _of("plan"),
        "mark": {"type": "text", "dy": -18, "fontWeight": "bold", "fontSize": 13, "color": ground.ink}
        | {"text": words["current"]},
    }
    return {"encoding": axes, "layer": [line, here, name, points]}


def stacked(words: Mapping[str, str], colours: Mapping[str, str], ground: Ground = LIGHT) -> Spec:
    """Money by year and by who pays or where it goes. Frame: part (paid, target), year, group, value.

    Limits are red ticks. Words: value, year, group.
    """
    scale = {"domain": list(colours), "range": list(colours.values())}
    year = {"field": "year", "type": "ordinal", "title": None, "axis": {"labelAngle": 0, "labelOverlap": True}}
    value = {"field": "value", "type": "quantitative", "title": words["value"], "axis": {"tickCount": 6}}
    tooltip = [
        {"field": "year", "type": "ordinal", "title": words["year"]},
        {"field": "group", "type": "nominal", "title": words["group"]},
        {"field": "value", "type": "quantitative", "format": ",.4~r", "title": words["value"]},
    ]
    legend = _legend(colours)
    bars: Spec = {
        "transform": _of("paid"),
        "mark": {"type": "bar", "stroke": ground.paper, "strokeWidth": 0.6},
        "encoding": {
            "y": value,
            "color": {"field": "group", "type": "nominal", "scale": scale, "sort": list(colours), "legend": legend},
            "tooltip": tooltip,
        },
    }
    return {"encoding": {"x": year}, "layer": [bars, _ceiling(ground)]}


def clustered(words: Mapping[str, str], colours: Mapping[str, str], ground: Ground = LIGHT) -> Spec:
    """The same parts of several plans side by side. Frame: group, plan, value. Words: value, group, plan."""
    scale = {"domain": list(colours), "range": list(colours.values())}
    legend = _legend(colours)
    return {
        "mark": {"type": "bar", "stroke": ground.paper, "strokeWidth": 0.6},
        "encoding": {
            "x": {"field": "group", "type": "nominal", "sort": None, "title": None, "axis": {"labelAngle": 0}},
            "xOffset": {"field": "plan", "type": "nominal", "sort": list(colours)},
            "y": {"field": "value", "type": "quantitative", "title": words["value"], "axis": {"tickCount": 6}},
            "color": {"field": "plan", "type": "nominal", "scale": scale, "sort": list(colours), "legend": legend},
            "tooltip": [
                {"field": "group", "type": "nominal", "title": words["group"]},
                {"field": "plan", "type": "nominal", "title": words["plan"]},
                {"field": "value", "type": "quantitative", "format": ",.4~r", "title": words["value"]},
            ],
        },
    }


def choropleth(words: Mapping[str, str], shapes: Mapping[str, Any], ground: Ground = LIGHT) -> Spec:
    """A map of cities by a number. Shapes: GeoJSON whose features have `value` and `name` among their properties.

    Words: value, name.
    """
    ramp = ["#E8F1EF", PRIMARY] if ground is LIGHT else ["#1D3A37", "#5FD3C4"]
    colour: Spec = {
        "field": "properties.value",
        "type": "quantitative",
        "scale": {"range": ramp, "zero": True},
        "legend": {"title": words["value"], "orient": "bottom", "gradientLength": 260, "format": ",.3~r"},
    }
    tooltip = [
        {"field": "properties.name", "type": "nominal", "title": words["name"]},
        {"field": "properties.value", "type": "quantitative", "format": ",.4~r", "title": words["value"]},
    ]
    area: Spec = {
        "mark": {"type": "geoshape", "stroke": ground.paper, "strokeWidth": 1.2, "cursor": "pointer"},
        "encoding": {"color": colour, "tooltip": tooltip},
        "params": _clicked("id"),
    }
    place: Spec = {
        "longitude": {"field": "properties.label_lon", "type": "quantitative"},
        "latitude": {"field": "properties.label_lat", "type": "quantitative"},
        "text": {"field": "properties.name", "type": "nominal"},
    }
    text = {"type": "text", "fontSize": 12}
    unseen = {"cursor": "pointer", "tooltip": None}
    white = {"stroke": ground.paper, "strokeWidth": 3, "opacity": 0.75}
    halo: Spec = {"mark": {**text, **unseen, **white}, "encoding": place}
    labels: Spec = {"mark": {**text, **unseen, "color": ground.ink}, "encoding": place}
    return {
        "data": {"values": dict(shapes), "format": {"type": "json", "property": "features"}},
        "projection": {"type": "mercator"},
        "layer": [area, halo, labels],
    }


def bars(words: Mapping[str, str], ground: Ground = LIGHT) -> Spec:
    """One bar per name, the longest first. Frame: group, value. Words: value, group."""
    tooltip = [
        {"field": "group", "type": "nominal", "title": words["group"]},
        {"field": "value", "type": "quantitative", "format": ",.4~r", "title": words["value"]},
    ]
    return {
        "mark": {"type": "bar", "color": ground.primary, "stroke": ground.paper, "cursor": "pointer"},
        "params": _clicked("group"),
        "encoding": {
            "y": {
                "field": "group",
                "type": "nominal",
                "sort": "-x",
                "title": None,
                "axis": {"labelLimit": _narrow(200)},
            },
            "x": {"field": "value", "type": "quantitative", "title": words["value"], "axis": {"tickCount": 6}},
            "tooltip": tooltip,
        },
    }


def cost_curve(
    words: Mapping[str, str],
    colours: Mapping[str, str],
    limits: tuple[float, float],
    ground: Ground = LIGHT,
    legend: bool = True,
) -> Spec:
    """Boxes as wide as what a measure abates and as high as what a unit costs, the cheapest first, without gaps.

    Frame: part (box, price), measure, sector, left, right, low, high, top, value, abated, years, label, side, line.
    Boxes that reach beyond the limits are cut off there. Words: abated, value, measure, sector, price, years.
    """
    low, high = limits
    x = {
        "field": "left",
        "type": "quantitative",
        "title": words["abated"],
        "axis": {"grid": False, "tickCount": 6},
        "scale": {"nice": False},
    }
    y = {
        "field": "low",
        "type": "quantitative",
        "title": words["value"],
        "scale": {"domain": [low, high], "nice": False},
        "axis": {"tickCount": 6},
    }
    box: Spec = {
        "transform": _of("box"),
        "mark": {"type": "rect", "clip": True, "stroke": ground.paper, "strokeWidth": 0.4},
        "encoding": {
            "x": x,
            "x2": {"field": "right"},
            "y": y,
            "y2": {"field": "high"},
            "color": {
                "field": "sector",
                "type": "nominal",
                "scale": {"domain": list(colours), "range": list(colours.values())},
                "legend": _legend(colours) if legend else None,
            },
            "tooltip": [
                {"field": "measure", "type": "nominal", "title": words["measure"]},
                {"field": "sector", "type": "nominal", "title": words["sector"]},
                {"field": "abated", "type": "quantitative", "format": ",.4~r", "title": words["abated"]},
                {"field": "value", "type": "quantitative", "format": ",.4~r", "title": words["value"]},
                {"field": "years", "type": "nominal", "title": words["years"]},
            ],
        },
    }
    zero: Spec = {
        "mark": {"type": "rule", "color": ground.baseline, "strokeWidth": 1},
        "encoding": {"y": {"datum": 0, "type": "quantitative"}},
    }
    named = [
        *_of("box"),
        {"filter": "datum.label != ''"},
        {"calculate": "(datum.left + datum.right) / 2", "as": "middle"},
    ]
    middle = {"field": "middle", "type": "quantitative"}
    ties: Spec = {
        "transform": named,
        "mark": {"type": "rule", "color": ground.baseline, "strokeWidth": 0.8},
        "encoding": {
            "x": middle,
            "y": {"field": "line", "type": "quantitative"},
            "y2": {"field": "top"},
        },
    }
    looks: list[Spec] = [{"stroke": ground.paper, "strokeWidth": 3, "opacity": 0.8}, {"color": ground.ink}]
    names = [
        {
            "transform": [*named, {"filter": f"datum.side == '{side}'"}],
            "mark": {"type": "text", "align": side, "baseline": "middle", "dx": 4 if side == "left" else -4}
            | {"limit": 190, "fontSize": 11, **look},
            "encoding": {
                "x": middle,
                "y": {"field": "line", "type": "quantitative"},
                "text": {"field": "label", "type": "nominal"},
            },
        }
        for side in ("left", "right")
        for look in looks
    ]
    price: Spec = {
        "transform": _of("price"),
        "mark": {"type": "rule", "color": ground.target, "strokeDash": [6, 4], "strokeWidth": 2},
        "encoding": {"y": {"field": "value", "type": "quantitative"}},
    }
    said: Spec = {
        "transform": _of("price"),
        "mark": {"type": "text", "align": "left", "dx": 4, "dy": 10, "fontSize": 12, "fontWeight": "bold"}
        | {"color": ground.target},
        "encoding": {
            "x": {"value": 0},
            "y": {"field": "value", "type": "quantitative"},
            "text": {"field": "label", "type": "nominal"},
        },
    }
    return {"layer": [box, zero, ties, price, *names, said]}


def roadmap(
    words: Mapping[str, str], colours: Mapping[str, str], years: tuple[int, int], ground: Ground = LIGHT
) -> Spec:
    """When each measure is built and serves: a bar while units are begun and built, a thin line while any serve.

    Frame: part (build, serve), measure, sector, first, last (the year after), amount. Rows stand in the order of the
    frame. Words: measure, sector, from, until, amount.
    """
    axis = {"format": "d", "tickMinStep": 1, "orient": "top", "title": None, "gridDash": [2, 3]}
    x = {
        "field": "first",
        "type": "quantitative",
        "axis": axis,
        "scale": {"domain": [years[0], years[1] + 1], "nice": False, "zero": False},
    }
    colour = {
        "field": "sector",
        "type": "nominal",
        "scale": {"domain": list(colours), "range": list(colours.values())},
        "legend": _legend(colours),
    }
    axis_y = {"labelLimit": _narrow(260), "ticks": False, "domain": False, "labelOverlap": False}
    encoding: Spec = {
        "y": {"field": "measure", "type": "nominal", "sort": None, "title": None, "axis": axis_y},
        "x": x,
        "x2": {"field": "last"},
        "color": colour,
        "tooltip": [
            {"field": "measure", "type": "nominal", "title": words["measure"]},
            {"field": "sector", "type": "nominal", "title": words["sector"]},
            {"field": "first", "type": "quantitative", "format": "d", "title": words["from"]},
            {"field": "until", "type": "quantitative", "format": "d", "title": words["until"]},
            {"field": "amount", "type": "nominal", "title": words["amount"]},
        ],
    }
    serve = {"transform": _of("serve"), "mark": {"type": "bar", "height": 3, "opacity": 0.75}}
    build = {
        "transform": _of("build"),
        "mark": {"type": "bar", "height": 13, "cornerRadius": 2, "stroke": ground.paper},
    }
    return {"encoding": encoding, "layer": [serve, build]}


def payers(words: Mapping[str, str], ground: Ground = LIGHT) -> Spec:
    """What a unit costs and who pays for it, bars to both sides. Frame: part (own, pays, takes, left), name, value.

    Rows stand in the order of the frame. Words: value, name.
    """
    parts = ["own", "takes", "left", "pays"]
    colours = [ground.baseline, "#C2553B", "#E3A008", ground.primary]
    return {
        "mark": {"type": "bar", "stroke": ground.paper},
        "encoding": {
            "y": {
                "field": "name",
                "type": "nominal",
                "sort": None,
                "title": None,
                "axis": {"labelLimit": _narrow(320)},
            },
            "x": {"field": "value", "type": "quantitative", "title": words["value"], "axis": {"tickCount": 6}},
            "color": {
                "field": "part",
                "type": "nominal",
                "scale": {"domain": parts, "range": colours},
                "legend": None,
            },
            "tooltip": [
                {"field": "name", "type": "nominal", "title": words["name"]},
                {"field": "value", "type": "quantitative", "format": ",.4~r", "title": words["value"]},
            ],
        },
    }


def heat(words: Mapping[str, str], ground: Ground = LIGHT) -> Spec:
    """Measures (rows) by quantities (columns), shaded by a share. Frame: measure, sector, quantity, value, amount.

    Rows and columns stand in the order of the frame. Words: value, measure, quantity, sector, amount.
    """
    light = ground is LIGHT
    ramp = ["#C2553B", ground.paper, PRIMARY] if light else ["#F0876B", ground.paper, "#5FD3C4"]
    cell: Spec = {
        "y": {
            "field": "measure",
            "type": "nominal",
            "sort": None,
            "title": None,
            "axis": {"labelLimit": _narrow(260), "ticks": False, "domain": False, "labelOverlap": False},
        },
        "x": {
            "field": "quantity",
            "type": "nominal",
            "sort": None,
            "title": None,
            "axis": {"orient": "top", "labelAngle": -50, "labelLimit": 120, "ticks": False, "domain": False}
            | {"labelAlign": "left", "labelOverlap": False},
        },
    }
    box: Spec = {
        "mark": {"type": "rect", "stroke": ground.baseline, "strokeWidth": 0.25},
        "encoding": {
            "color": {
                "field": "value",
                "type": "quantitative",
                "scale": {"domain": [-40, 0, 40], "range": ramp, "clamp": True, "interpolate": "rgb"},
                "legend": {"title": words["value"], "orient": "bottom", "gradientLength": 260},
            },
            "tooltip": [
                {"field": "measure", "type": "nominal", "title": words["measure"]},
                {"field": "sector", "type": "nominal", "title": words["sector"]},
                {"field": "quantity", "type": "nominal", "title": words["quantity"]},
                {"field": "amount", "type": "nominal", "title": words["amount"]},
                {"field": "value", "type": "quantitative", "format": ".1f", "title": words["value"]},
            ],
        },
    }
    number: Spec = {
        "transform": [{"filter": "abs(datum.value) >= 2"}],
        "mark": {"type": "text", "fontSize": 11},
        "encoding": {
            "text": {"field": "value", "type": "quantitative", "format": ".0f"},
            "color": {
                "condition": {"test": "abs(datum.value) > 22", "value": "#FFFFFF" if light else ground.paper},
                "value": ground.ink,
            },
        },
    }
    return {"encoding": cell, "layer": [box, number]}


RAMP = ("#0F766E", "#7DB8AE", "#E8B96B", "#C2553B")
"""From cheap to dear."""


def pace(words: Mapping[str, str], ground: Ground = LIGHT) -> Spec:
    """What is abated by class of cost over the years. Frame: group, year, low, high, value.

    Words: abated, value, year.
    """
    area: Spec = {
        "mark": {"type": "area", "opacity": 0.9, "stroke": ground.paper, "strokeWidth": 0.6},
        "encoding": {
            "y": {"field": "low", "type": "quantitative", "title": words["abated"], "axis": {"tickCount": 6}},
            "y2": {"field": "high"},
            "color": {
                "field": "group",
                "type": "nominal",
                "sort": None,
                "scale": {"range": list(RAMP)},
                "legend": {"orient": "bottom", "title": words["value"], "symbolType": "square", "labelLimit": 300},
            },
        },
    }
    hover: Spec = {
        "mark": {"type": "bar", "opacity": 0, "size": 44},
        "encoding": {
            "y": {"field": "low", "type": "quantitative"},
            "y2": {"field": "high"},
            "tooltip": [
                {"field": "year", "type": "quantitative", "format": "d", "title": words["year"]},
                {"field": "group", "type": "nominal", "title": words["value"]},
                {"field": "value", "type": "quantitative", "format": ",.4~r", "title": words["abated"]},
            ],
        },
    }
    return {"encoding": {"x": _years()}, "layer": [area, hover]}


def board(words: Mapping[str, str], colours: Mapping[str, str], ground: Ground = LIGHT) -> Spec:
    """Plans of teams, the last of each named, before the frontier where it is known.

    Frame: part (frontier, team), team, name, total, cost, last. Words: total, cost, team, name.
    """
    axes: Spec = {
        "x": {
            "field": "total",
            "type": "quantitative",
            "title": words["total"],
            "scale": {"zero": False, "padding": 40},
            "axis": {"grid": False, "tickCount": 6, "format": ",.6~r"},
        },
        "y": {"field": "cost", "type": "quantitative", "title": words["cost"], "scale": {"zero": False, "padding": 40}}
        | {"axis": {"format": ",.4~r"}},
    }
    line: Spec = {
        "transform": _of("frontier"),
        "mark": {"type": "line", "color": ground.baseline, "strokeWidth": 2, "point": False},
        "encoding": {"order": {"field": "total", "type": "quantitative"}},
    }
    colour = {
        "field": "team",
        "type": "nominal",
        "scale": {"domain": list(colours), "range": list(colours.values())},
        "legend": None,
    }
    plans: Spec = {
        "transform": _of("team"),
        "mark": {"type": "point", "filled": True, "stroke": ground.paper},
        "encoding": {
            "color": colour,
            "size": {"condition": {"test": "datum.last", "value": 260}, "value": 60},
            "opacity": {"condition": {"test": "datum.last", "value": 1}, "value": 0.45},
            "tooltip": [
                {"field": "team", "type": "nominal", "title": words["team"]},
                {"field": "name", "type": "nominal", "title": words["name"]},
                {"field": "total", "type": "quantitative", "format": ",.5~r", "title": words["total"]},
                {"field": "cost", "type": "quantitative", "format": ",.4~r", "title": words["cost"]},
            ],
        },
    }
    names: Spec = {
        "transform": [*_of("team"), {"filter": "datum.last"}],
        "mark": {"type": "text", "dy": -18, "fontSize": 15, "fontWeight": "bold"},
        "encoding": {"text": {"field": "team", "type": "nominal"}, "color": colour},
    }
    return {"encoding": axes, "layer": [line, plans, names]}
