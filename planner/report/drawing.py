"""Vega-Lite charts as SVG and PNG, without browser and network."""

from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any

from planner.errors import CaseError, Place, error
from planner.report.document import Chart

FONT = "Noto Sans CJK SC, Source Han Sans SC, Microsoft YaHei, PingFang SC, SimHei, DejaVu Sans, Arial, sans-serif"
INK, QUIET, LINE = "#1C2B2A", "#5B6B69", "#D5DEDC"
WIDTH = 640
"""Width of what is drawn, axes not counted [px]."""
LABELS = 345
"""Most width of the names on an axis [px]."""
THEME: Mapping[str, Any] = {
    "font": FONT,
    "background": "#FFFFFF",
    "view": {"stroke": None},
    "axis": {
        **{
            "labelColor": QUIET,
            "titleColor": QUIET,
            "labelFontSize": 11,
            "titleFontSize": 11,
            "titleFontWeight": "normal",
        },
        **{"gridColor": "#E7EDEC", "domainColor": LINE, "tickColor": LINE, "labelFont": FONT, "titleFont": FONT},
    },
    "legend": {"labelFontSize": 11, "labelColor": INK, "labelFont": FONT, "titleFont": FONT, "titleFontSize": 11},
    "text": {"font": FONT},
}


def needed(*packages: str) -> None:
    """Raise CaseError where packages of the extra `report` are missing: it says what to install."""
    missing = [package for package in packages if find_spec(package) is None]
    if missing:
        raise CaseError([error("extra_missing", Place("report"), found=", ".join(missing), extra="report")])


def fitting(spec: Any, room: float = WIDTH - 60) -> Any:
    """The chart with as many columns in its legends as fit the page beside the names on its axis, and these whole."""
    if isinstance(spec, list):
        return [fitting(part, room) for part in spec]
    if not isinstance(spec, dict) or "values" in spec:
        return spec
    room = min(room, WIDTH - beside(spec))
    found = {name: fitting(part, room) for name, part in spec.items()}
    if "labelLimit" in found and "symbolType" not in found:
        found |= {"labelLimit": LABELS, "labelFontSize": 10}
    legend, scale = found.get("legend"), found.get("scale")
    if isinstance(legend, dict) and "columns" in legend and isinstance(scale, dict) and scale.get("domain"):
        widest = max(map(wide, scale["domain"]))
        found["legend"] = {**legend, "columns": max(1, int(room // (widest + 34)))}
    return found


def wide(name: object) -> float:
    """Width of a name as drawn, about [px]."""
    return sum(11.5 if ord(c) > 255 else 5.6 for c in str(name))


def beside(spec: Mapping[str, Any]) -> float:
    """Width of the names on the axis left of a chart [px]."""
    axis = (spec.get("encoding") or {}).get("y") or {}
    rows = (spec.get("data") or {}).get("values") or []
    if axis.get("type") != "nominal" or not rows:
        return 60.0
    return min(LABELS, max(wide(row.get(axis["field"])) for row in rows)) + 20


def whole(chart: Chart, width: int = WIDTH) -> dict[str, Any]:
    """The chart with its size and the look of the report."""
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
        "width": width,
        "height": chart.height,
        "config": dict(THEME),
        "autosize": {"type": "fit-x", "contains": "padding"},
        **fitting(chart.spec),
    }


def svg(chart: Chart) -> str:
    """The chart as SVG."""
    import vl_convert  # noqa: PLC0415  an extra

    return str(vl_convert.vegalite_to_svg(whole(chart)))


def png(chart: Chart, scale: float = 2.5) -> bytes:
    """The chart as PNG."""
    import vl_convert  # noqa: PLC0415  an extra

    return bytes(vl_convert.vegalite_to_png(whole(chart), scale=scale))
