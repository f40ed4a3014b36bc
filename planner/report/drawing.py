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


def fitting(spec: Any) -> Any:
    """The chart with as many columns in its legends as fit the page."""
    if isinstance(spec, list):
        return [fitting(part) for part in spec]
    if not isinstance(spec, dict) or "values" in spec:
        return spec
    found = {name: fitting(part) for name, part in spec.items()}
    legend, scale = found.get("legend"), found.get("scale")
    if isinstance(legend, dict) and "columns" in legend and isinstance(scale, dict) and scale.get("domain"):
        widest = max(sum(11.5 if ord(c) > 255 else 6.4 for c in str(name)) for name in scale["domain"])
        found["legend"] = {**legend, "columns": max(1, int((WIDTH - 60) // (widest + 34)))}
    return found


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
