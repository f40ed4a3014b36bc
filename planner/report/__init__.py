"""Reports of a plan to hand in: HTML that prints well, Word, and a workbook."""

import io
from pathlib import Path

from planner.case import Case
from planner.futures import Robustness
from planner.plan import Plan
from planner.report.content import report
from planner.report.docx import docx
from planner.report.html import html
from planner.saving import write_bytes

FORMATS = ("html", "docx", "xlsx")


def write_report(
    case: Case, plan: Plan, path: Path, form: str, lang: str, scenario: str = "", futures: Robustness | None = None
) -> None:
    """Write the report of a plan that was found, all or nothing; with `futures`, html and docx have a chapter on them.

    Raises CaseError where the extra `report` is not installed, OSError when the file cannot be written.
    """
    if form == "xlsx":
        import openpyxl  # noqa: PLC0415  only workbooks need it

        from planner.workbook.results import result_sheets  # noqa: PLC0415

        book = openpyxl.Workbook()
        book.remove(book.worksheets[0])
        result_sheets(book, case, plan, lang)
        data = io.BytesIO()
        book.save(data)
        write_bytes(path, data.getvalue())
        return
    document = report(case, plan, lang, scenario, futures)
    write_bytes(path, docx(document) if form == "docx" else html(document).encode())
