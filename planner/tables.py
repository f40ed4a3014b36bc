"""Case <-> folder or workbook. One door: raw cells -> rows, with every fault placed -> checks -> Case."""

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from planner.case import Case
from planner.cells import row_from
from planner.errors import CaseError, Issue, Place
from planner.rows import TABLES, Row, Settings


def read_case(path: Path | str) -> Case:
    """The case in a folder; raises CaseError with every fault."""
    folder = Path(path)
    issues: list[Issue] = []
    raw: Mapping[str, Any] = yaml.safe_load((folder / "case.yaml").read_text(encoding="utf-8-sig"))
    settings, found = row_from(Settings, raw, Place("case.yaml"))
    issues += found
    tables: dict[str, tuple[Row, ...]] = {}
    for name, row_class in TABLES.items():
        for place in (folder, *(folder / other for other in raw.get("data") or [])):
            file = place / f"{name}.csv"
            if not file.is_file():
                continue
            rows: list[Row] = []
            with file.open(encoding="utf-8-sig", newline="") as lines:
                reader = csv.reader(lines, strict=True)
                header = next(reader)
                for number, cells in enumerate(reader, start=2):
                    row, found = row_from(row_class, dict(zip(header, cells, strict=True)), Place(file.name, number))
                    issues += found
                    if row is not None:
                        rows.append(row)
            tables[name] = tuple(rows)
            break
    if issues or settings is None:
        raise CaseError(issues)
    return Case(settings=settings, folder=folder, **tables)  # type: ignore[arg-type]
