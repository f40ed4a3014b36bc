"""A report as a Word document: real headings, tables with repeated headers, charts as SVG with a PNG beside them."""

import io
from typing import Any

from planner.report.document import Chart, Document, Table, Text
from planner.report.drawing import needed, png, svg

FONTS = {"zh": ("Noto Sans CJK SC", "微软雅黑"), "en": ("Arial", "Arial")}
"""Latin and Chinese font by language."""
SVG_EXTENSION = "{96DAC541-7B7A-43D3-8B79-37D633B846F1}"
SVG_NAMESPACE = "http://schemas.microsoft.com/office/drawing/2016/SVG/main"
GREEN, QUIET = "0F766E", "5B6B69"
TALL = 400
"""Height from which a chart that opens a chapter gets a new page [px]."""


def docx(document: Document) -> bytes:
    """The document as a file; raises CaseError where the extra `report` is not installed."""
    needed("docx", "vl_convert")
    from docx import Document as Word  # noqa: PLC0415  an extra
    from docx.shared import Cm, Pt, RGBColor  # noqa: PLC0415

    book: Any = Word()
    section = book.sections[0]
    section.page_width, section.page_height = Cm(21), Cm(29.7)
    section.left_margin = section.right_margin = Cm(2.1)
    section.top_margin = section.bottom_margin = Cm(2.2)
    latin, chinese = FONTS[document.lang]
    for name, size in (("Normal", 10.5), ("Title", 24), ("Heading 1", 15), ("Heading 2", 11)):
        style = book.styles[name]
        style.font.size = Pt(size)
        _fonts(style.element, latin, chinese)
        if name != "Normal":
            style.font.color.rgb = RGBColor.from_string("0B3B37")
    _page_number(section.footer.paragraphs[0])
    book.core_properties.title = document.title
    book.core_properties.author = ""
    book.core_properties.language = "zh-CN" if document.lang == "zh" else "en"
    line = book.add_paragraph()
    _run(line, document.labels["kind"], GREEN, 11)
    book.add_paragraph(document.title, style="Title")
    _run(book.add_paragraph(), document.subtitle, QUIET, 10)
    grid = book.add_table(rows=2, cols=len(document.facts))
    for place, (name, value, unit) in enumerate(document.facts):
        top = grid.cell(0, place).paragraphs[0]
        _run(top, value, GREEN, 15, bold=True)
        _run(top, f" {unit}", QUIET, 8.5)
        _run(grid.cell(1, place).paragraphs[0], name, QUIET, 8.5)
    book.add_paragraph()
    _run(book.add_paragraph(), document.labels["contents"], "0B3B37", 12, bold=True)
    for chapter in document.chapters:
        book.add_paragraph(chapter.title)
    book.add_page_break()
    for chapter in document.chapters:
        heading = book.add_heading(chapter.title, level=1)
        if chapter.blocks and isinstance(chapter.blocks[0], Chart) and chapter.blocks[0].height > TALL:
            # A heading that stays with so tall a picture made LibreOffice tear the table before it apart.
            heading.paragraph_format.keep_with_next, heading.paragraph_format.page_break_before = False, True
        for block in chapter.blocks:
            if isinstance(block, Text):
                paragraph = book.add_paragraph()
                _run(paragraph, block.text, QUIET if block.small else None, 8.5 if block.small else None)
                if document.lang == "zh" and not block.small:
                    paragraph.paragraph_format.first_line_indent = Pt(21)
            elif isinstance(block, Chart):
                _picture(book, block, Cm(16.6))
            else:
                _table(book, block)
                _run(book.add_paragraph(), "", None, 4)
    _run(book.add_paragraph(), document.closing, QUIET, 8.5)
    data = io.BytesIO()
    book.save(data)
    return data.getvalue()


def _fonts(element: Any, latin: str, chinese: str) -> None:
    from docx.oxml.ns import qn  # noqa: PLC0415

    fonts = element.get_or_add_rPr().get_or_add_rFonts()
    for name in list(fonts.attrib):
        del fonts.attrib[name]
    for name, font in (("ascii", latin), ("hAnsi", latin), ("eastAsia", chinese), ("cs", latin)):
        fonts.set(qn(f"w:{name}"), font)


def _run(paragraph: Any, text: str, colour: str | None = None, size: float | None = None, bold: bool = False) -> None:
    from docx.shared import Pt, RGBColor  # noqa: PLC0415

    run = paragraph.add_run(text)
    run.bold = bold or None
    if colour:
        run.font.color.rgb = RGBColor.from_string(colour)
    if size:
        run.font.size = Pt(size)


def _page_number(paragraph: Any) -> None:
    """The number of the page, in the middle of its foot."""
    from docx.enum.text import WD_ALIGN_PARAGRAPH  # noqa: PLC0415
    from docx.oxml import OxmlElement  # noqa: PLC0415
    from docx.oxml.ns import qn  # noqa: PLC0415

    paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
    field: Any = OxmlElement("w:fldSimple")
    field.set(qn("w:instr"), "PAGE")
    paragraph._p.append(field)


def _table(book: Any, block: Table) -> None:
    """A table with lines between rows, its title and header on every page, numbers to the right.

    The title is a row of the table: as a paragraph that stays with the next one it made LibreOffice lose rows at the
    end of a page.
    """
    from docx.enum.table import WD_ALIGN_VERTICAL  # noqa: PLC0415
    from docx.enum.text import WD_ALIGN_PARAGRAPH  # noqa: PLC0415
    from docx.oxml import OxmlElement  # noqa: PLC0415
    from docx.oxml.ns import qn  # noqa: PLC0415
    from docx.shared import Cm, Pt  # noqa: PLC0415

    table = book.add_table(rows=2 + len(block.rows), cols=len(block.heads))
    table.autofit = False
    borders: Any = OxmlElement("w:tblBorders")
    for side in ("top", "bottom", "insideH"):
        edge: Any = OxmlElement(f"w:{side}")
        for name, value in (("val", "single"), ("sz", "4"), ("color", "C9D6D3")):
            edge.set(qn(f"w:{name}"), value)
        borders.append(edge)
    margins: Any = OxmlElement("w:tblCellMar")
    for side in ("left", "right"):
        edge = OxmlElement(f"w:{side}")
        edge.set(qn("w:w"), "70")
        edge.set(qn("w:type"), "dxa")
        margins.append(edge)
    layout = table._tbl.tblPr.find(qn("w:tblLayout"))
    layout.addprevious(borders)
    layout.addnext(margins)
    size = 8.5 if len(block.heads) < 7 else 8
    given = list(block.widths)
    rest = (1 - sum(given)) / max(1, len(block.heads) - len(given))
    widths = [Cm(16.7 * share) for share in [*given, *[rest] * (len(block.heads) - len(given))]]
    for column, width in zip(table.columns, widths, strict=True):
        column.width = width
    rows = list(table.rows)
    for place, row in enumerate(rows):
        row._tr.get_or_add_trPr().append(OxmlElement("w:cantSplit"))
        if place < 2:
            row._tr.get_or_add_trPr().append(OxmlElement("w:tblHeader"))
    title = rows[0].cells[0].merge(rows[0].cells[-1])
    _run(title.paragraphs[0], block.title, None, 10, bold=True)
    title.paragraphs[0].paragraph_format.space_after = Pt(0)  # space in repeated rows misleads LibreOffice, too
    edges: Any = OxmlElement("w:tcBorders")
    top: Any = OxmlElement("w:top")
    top.set(qn("w:val"), "nil")
    edges.append(top)
    title._tc.get_or_add_tcPr().append(edges)
    for number, row in enumerate([block.heads, *block.rows]):
        for place, (cell, text) in enumerate(zip(rows[number + 1].cells, row, strict=True)):
            cell.width = widths[place]
            paragraph = cell.paragraphs[0]
            paragraph.paragraph_format.space_before = paragraph.paragraph_format.space_after = Pt(1 if number else 0)
            cell.vertical_alignment = WD_ALIGN_VERTICAL.CENTER
            bold = number == 0 or (block.total and number == len(block.rows))
            _run(paragraph, str(text), "0B3B37" if number == 0 else None, size, bold)
            if place in block.right:
                paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT
            if number == 0:
                shade: Any = OxmlElement("w:shd")
                shade.set(qn("w:val"), "clear")
                shade.set(qn("w:fill"), "E8F1EF")
                cell._tc.get_or_add_tcPr().append(shade)


def _picture(book: Any, chart: Chart, width: Any) -> None:
    """The chart as SVG under its title, in one paragraph so that they stay together; where SVG is unknown, the PNG."""
    from docx.opc.constants import RELATIONSHIP_TYPE  # noqa: PLC0415
    from docx.opc.packuri import PackURI  # noqa: PLC0415
    from docx.opc.part import Part  # noqa: PLC0415
    from docx.oxml import parse_xml  # noqa: PLC0415

    paragraph = book.add_paragraph()
    _run(paragraph, chart.title, None, 10, bold=True)
    run = paragraph.add_run()
    run.add_break()
    shape = run.add_picture(io.BytesIO(png(chart)), width=width)
    shape._inline.docPr.set("descr", chart.alt)
    name = PackURI(f"/word/media/{chart.name}.svg")
    part = Part(name, "image/svg+xml", svg(chart).encode(), book.part.package)
    relation = book.part.relate_to(part, RELATIONSHIP_TYPE.IMAGE)
    blip = shape._inline.graphic.graphicData.pic.blipFill.blip
    blip.append(
        parse_xml(
            '<a:extLst xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"'
            ' xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships">'
            f'<a:ext uri="{SVG_EXTENSION}"><asvg:svgBlip xmlns:asvg="{SVG_NAMESPACE}" r:embed="{relation}"/></a:ext>'
            "</a:extLst>"
        )
    )
