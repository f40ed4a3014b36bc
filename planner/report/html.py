"""A report as one HTML page: no scripts, no network, charts as SVG, made to be printed on A4."""

from html import escape
from importlib.resources import files

from planner.report.document import Chart, Document, Table, Text
from planner.report.drawing import needed, svg


def html(document: Document) -> str:
    """The whole page; raises CaseError where the extra `report` is not installed."""
    needed("vl_convert")
    style = files("planner.report").joinpath("style.css").read_text(encoding="utf-8")
    language = "zh-CN" if document.lang == "zh" else "en"
    facts = "".join(
        f'<div class="fact"><b>{escape(value)}</b> <i>{escape(unit)}</i><span>{escape(name)}</span></div>'
        for name, value, unit in document.facts
    )
    contents = "".join(
        f'<li><a href="#c{number}">{escape(chapter.title)}</a></li>' for number, chapter in enumerate(document.chapters)
    )
    chapters = []
    for number, chapter in enumerate(document.chapters):
        blocks = "\n".join(block(part) for part in chapter.blocks)
        chapters.append(f'<section id="c{number}"><h2>{escape(chapter.title)}</h2>\n{blocks}\n</section>')
    return f"""<!doctype html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(document.title)}</title>
<style>
{style}
</style>
</head>
<body class="{document.lang}">
<header>
<p class="kind">{escape(document.labels["kind"])}</p>
<h1>{escape(document.title)}</h1>
<p class="subtitle">{escape(document.subtitle)}</p>
<div class="facts" id="facts">{facts}</div>
<nav><h2>{escape(document.labels["contents"])}</h2><ol>{contents}</ol></nav>
</header>
<main>
{"".join(chapters)}
</main>
<footer>{escape(document.closing)}</footer>
</body>
</html>
"""


def block(part: Text | Table | Chart) -> str:
    """A paragraph, table or chart."""
    if isinstance(part, Text):
        return f'<p class="{"note" if part.small else "text"}">{escape(part.text)}</p>'
    if isinstance(part, Chart):
        picture = f'<div class="chart" role="img" aria-label="{escape(part.alt, quote=True)}">{svg(part)}</div>'
        return f'<figure id="chart-{part.name}"><figcaption>{escape(part.title)}</figcaption>{picture}</figure>'
    return table(part)


def table(part: Table) -> str:
    """A table whose header repeats on every page."""

    def cells(row: object, tag: str) -> str:
        made = []
        for place, text in enumerate(row):  # type: ignore[arg-type, var-annotated]
            kind = ' class="n"' if place in part.right else ""
            made.append(f"<{tag}{kind}>{escape(str(text))}</{tag}>")
        return "<tr>" + "".join(made) + "</tr>"

    widths = "".join(f'<col style="width:{100 * share:.4g}%">' for share in part.widths)
    last = len(part.rows) - 1
    body = "".join(
        cells(row, "td").replace("<tr>", '<tr class="total">') if part.total and number == last else cells(row, "td")
        for number, row in enumerate(part.rows)
    )
    head = cells(part.heads, "th")
    return (
        f'<figure class="table"><figcaption>{escape(part.title)}</figcaption><table id="{part.name}">'
        f"<colgroup>{widths}</colgroup><thead>{head}</thead><tbody>{body}</tbody></table></figure>"
    )
