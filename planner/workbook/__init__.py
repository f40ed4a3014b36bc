"""Workbooks for people: a case as sheets to edit in a spreadsheet program, with the results of its plan beside them."""

import io
from pathlib import Path

from planner.case import Case
from planner.plan import Plan
from planner.saving import write_bytes
from planner.workbook.inputs import input_sheets
from planner.workbook.results import result_sheets


def export_workbook(case: Case, path: Path | str, lang: str = "zh", plan: Plan | None = None) -> int:
    """Write a case as a workbook to work in, all or nothing; it reads back to the same digest.

    With a `plan` its results stand on further sheets, whose names begin with `_`: the reader skips them. Returns the
    number of sheets. Raises OSError when the file cannot be written.
    """
    import openpyxl  # noqa: PLC0415  only workbooks need it

    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    input_sheets(book, case, lang)
    if plan is not None and plan.found:
        result_sheets(book, case, plan, lang)
    data = io.BytesIO()
    book.save(data)
    write_bytes(Path(path), data.getvalue())
    return len(book.worksheets)
