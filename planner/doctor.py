"""What works on this machine: the program's own files, packages and extras, the solver, fonts, write access."""

import math
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files
from pathlib import Path
from typing import Literal

State = Literal["fine", "optional", "broken"]
NEEDED = ("pyomo", "highspy", "numpy", "scipy", "pandas", "pydantic", "PyYAML", "pint", "openpyxl", "typer", "rich")
EXTRAS = {"report": ("vl-convert-python", "python-docx"), "app": ("streamlit",), "parquet": ("pyarrow",)}
"""Packages that some things need, by what needs them."""
OWN = ("locale/cli.yaml", "columns.zh.yaml", "starter/case/case.yaml", "report/style.css")
"""Files that an installation must hold beside the code."""
OPTIMUM = (("motors", 120.0), ("pv", (5150 - 4600 - 86.4) / 0.88), ("kiln_scr", (6000 - 0.8 * 6200) / 0.6))
"""Starts of the example case, worked out on paper: its CO2 target takes all motors and so much PV, NOx the rest."""
PRECISION = 1e-6


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    name: str
    """Key of its words under `doctor`."""
    state: State
    told: str


def examined() -> Iterator[Finding]:
    """Everything that is looked at, one after the other."""
    yield Finding("python", "fine" if sys.version_info >= (3, 11) else "broken", platform.python_version())
    yield Finding("planner", "fine", version("measure-planner"))
    missing = [name for name in OWN if not files("planner").joinpath(*name.split("/")).is_file()]
    yield Finding("files", "broken" if missing else "fine", ", ".join(missing) or str(len(OWN)))
    known = {name: installed(name) for name in NEEDED}
    absent = [name for name, found in known.items() if not found]
    told = ", ".join(absent) or ", ".join(f"{name} {found}" for name, found in known.items())
    yield Finding("packages", "broken" if absent else "fine", told)
    for extra, names in EXTRAS.items():
        found = {name: installed(name) for name in names}
        whole = all(found.values())
        told = ", ".join(f"{name} {found[name]}" if found[name] else f"{name} –" for name in names)
        yield Finding(f"extra_{extra}", "fine" if whole else "optional", told)
    if not absent and not missing:
        yield solver()
    yield fonts()
    yield writable(Path.cwd(), "here")
    yield writable(Path(tempfile.gettempdir()), "temporary")


def installed(package: str) -> str:
    """Version of a package; nothing where it is not installed."""
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def solver() -> Finding:
    """The example case solved and proven, against the optimum worked out on paper."""
    from planner.plan import solve  # noqa: PLC0415  slow to import
    from planner.starter import example  # noqa: PLC0415

    try:
        plan = solve(example())
        started = plan.portfolio.groupby("measure")["starts"].sum().to_dict()
        right = all(math.isclose(started.get(name, 0.0), starts, rel_tol=PRECISION) for name, starts in OPTIMUM)
        proven = plan.summary.get("proof") == "certificate"
    except Exception as fault:  # whatever a broken installation does
        return Finding("solver", "broken", f"{type(fault).__name__}: {fault}")
    return Finding("solver", "fine" if right and proven else "broken", f"HiGHS {installed('highspy')}")


def fonts() -> Finding:
    """A font that can write Chinese, as charts and printed reports need it."""
    if shutil.which("fc-list"):
        told = subprocess.run(["fc-list", ":lang=zh", "family"], check=False, capture_output=True, text=True).stdout
        names = sorted({line.split(",")[0].strip() for line in told.splitlines()} - {""})
        return Finding("fonts", "fine" if names else "optional", ", ".join(names[:3]) or "–")
    known = ("C:/Windows/Fonts/msyh.ttc", "C:/Windows/Fonts/simsun.ttc", "/System/Library/Fonts/PingFang.ttc")
    there = [Path(name).name for name in known if Path(name).is_file()]
    return Finding("fonts", "fine" if there else "optional", ", ".join(there) or "–")


def writable(folder: Path, name: str) -> Finding:
    """Whether a file can be made in a folder."""
    try:
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".planner-"):
            pass
    except OSError as fault:
        return Finding(name, "broken" if name == "temporary" else "optional", fault.strerror or str(fault))
    return Finding(name, "fine", folder.name or str(folder))
