"""The door every case comes in by: keys unique, references known, then what the rows mean together."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from functools import partial
from typing import Any, TypeVar

from planner import choices, magnitudes, meaning
from planner.cells import closest
from planner.errors import Issue, Place, error, warning
from planner.rows import FUND, MONEY, PROSE, PROVINCE, TABLES, Row, Settings, Target
from planner.tableset import Tables

T = TypeVar("T")
MODULES = (meaning, choices, magnitudes)
"""Importing them registers their checks."""
Ids = Mapping[str, set[str]]
Rows = Mapping[str, tuple[Row, ...]]
Names = Mapping[str, Mapping[str, str]]
SETTINGS = Settings.table
JUDGEMENT = "own"
"""Stands in a source column for a judgement of the authors."""
NAMED = ("cities", "sectors", "departments", "quantities", "measures", "funds")
"""Tables whose rows have names that people may write instead of the id."""
IDENTIFYING = (*NAMED, "city_groups", "drivers", "allocations")
"""Tables whose ids other tables use."""


class Memory:
    """Results of checks together with the rows they were found in, so that an edit repeats only what it touches."""

    def __init__(self, before: "Memory | None" = None) -> None:
        self._known: dict[object, tuple[tuple[object, ...], Any]] = dict(before._known) if before else {}

    def recall(self, key: object, rows: tuple[object, ...], find: Callable[[], T]) -> T:
        """What `find` returns, or returned before for the very same rows."""
        old = self._known.get(key)
        if old is None or len(old[0]) != len(rows) or any(a is not b for a, b in zip(old[0], rows, strict=True)):
            old = self._known[key] = (rows, find())
        result: T = old[1]
        return result

    def kept(self, key: object, value: T) -> T:
        """The value, or the one before where both are equal: what was found from it need not be found again."""
        old = self._known.get(key)
        if old is None or old[1] != value:
            old = self._known[key] = ((), value)
        result: T = old[1]
        return result


def checked(
    settings: Settings, rows: Rows, ids: Ids, spoiled: Collection[str], memory: Memory
) -> tuple[dict[str, Any], list[Issue]]:
    """Rows without repetitions, and every issue found in them.

    `ids` are the first cells of all rows, refused ones included; `spoiled` tables lost rows, and checks that need
    such a table whole are left out, so that one fault is not reported twice; `case` among them stands for the settings.
    """
    issues: list[Issue] = []
    unique: dict[str, Any] = {}
    bad = set(spoiled)

    def collect(table: str, found: list[Issue]) -> None:
        issues.extend(found)
        if any(issue.severity == "error" for issue in found):
            bad.add(table)

    for table in TABLES:
        lines = rows.get(table, ())
        unique[table], found = memory.recall(("unique", table), (lines,), partial(_unique, lines))
        collect(table, found)
    tables = Tables(settings=settings, **unique)
    known: dict[str, set[str]] = {}
    for table in TABLES:
        own = memory.recall(("ids", table), (unique[table],), partial(_first_ids, unique[table]))
        known[table] = memory.kept(("known", table), ids[table] | own if ids.get(table) else own)
    names = {
        table: memory.recall(("names", table), (unique[table],), partial(_names, unique[table])) for table in NAMED
    }
    names = {table: memory.kept(("named", table), people) for table, people in names.items()}
    named = (*(known[table] for table in IDENTIFYING), *names.values())
    unread = {table for table in spoiled if not known.get(table)}
    for table in TABLES:
        find = partial(_table_references, tables, table, known, names, unread)
        collect(table, memory.recall(("references", table), (unique[table], *named), find))
    if SETTINGS not in bad:
        issues += _settings_references(tables, known, unread)
    bare, strange = 0, dict[str, int]()
    for table in meaning.FACTS:
        find_sources = partial(_sources, unique[table], known["sources"])
        without, unlisted = memory.recall(("sources", table), (unique[table], known["sources"]), find_sources)
        bare += without
        for id_, number in unlisted.items():
            strange[id_] = strange.get(id_, 0) + number
    issues += _source_warnings(bare, strange)
    for needed, check in meaning.CHECKS:
        if not needed & bad:
            key = (settings, *(unique[table] for table in sorted(needed - {SETTINGS})))
            found = memory.recall(check.__name__, key, partial(_all, check, tables))
            if needed == {SETTINGS}:  # without a horizon nothing else can be judged
                collect(SETTINGS, found)
            else:
                issues += found
    return unique, issues


def _all(check: meaning.Check, tables: Tables) -> list[Issue]:
    return list(check(tables))


def _content(row: Row) -> dict[str, Any]:
    return {name: value for name, value in row.__dict__.items() if name not in PROSE and name != "grade"}


def _unique(rows: tuple[Row, ...]) -> tuple[tuple[Row, ...], list[Issue]]:
    """Rows without repetitions: the same key with the same content is a warning, with other content a fault."""
    first: dict[tuple[Any, ...], Row] = {}
    issues: list[Issue] = []
    for row in rows:
        other = first.setdefault(row.ids(), row)
        if other is not row:
            key = ";".join(str(part) for part in row.ids() if part is not None)
            same = _content(row) == _content(other)
            make, words = (warning, "row_twice") if same else (error, "key_used_twice")
            issues.append(make(words, row.at, row.key[0], found=key, other=other.at.row or other.at.file))
    # The very same tuple when nothing was dropped: that is how an edit knows what it did not touch.
    return (tuple(first.values()) if issues else rows), issues


def _cases(rows: tuple[Row, ...]) -> Iterator[Issue]:
    """Ids that differ only in capital letters."""
    seen: dict[str, Row] = {}
    for row in rows:
        id_ = str(row.ids()[0])
        other = seen.setdefault(id_.casefold(), row)
        if str(other.ids()[0]) != id_:
            names = {"found": id_, "expected": other.ids()[0], "other": other.at.row or other.at.file}
            yield error("ids_differ_in_case", row.at, row.key[0], **names)


# ---------------------------------------------------------------- references


def _table_references(tables: Tables, table: str, known: Ids, names: Names, unread: Collection[str]) -> list[Issue]:
    """Ids in `table` that stand in no other table; nothing is said of tables that could not be read at all."""
    rows = tables.rows(table)
    issues = list(_cases(rows))
    for column, target in TABLES[table].references.items():
        for row in rows if target not in unread else ():
            value = getattr(row, column)
            if value is None or value in known[target]:
                continue
            strange = [id_ for id_ in (value if isinstance(value, tuple) else (value,)) if id_ not in known[target]]
            people = names.get(target, {})
            issues.extend(unknown(row.at, column, id_, target, known[target], people) for id_ in strange)
    scopes = {PROVINCE} | known["cities"] | known["city_groups"]
    for row in tables.targets if table == "targets" else ():
        issues += _target_references(row, known, names, unread)
    for scoped in rows if table in ("targets", "budgets") and not {"cities", "city_groups"} & set(unread) else ():
        scope = getattr(scoped, "scope", PROVINCE)
        if scope not in scopes:
            issues.append(_unknown_scope(scoped.at, scope, scopes, names["cities"]))
    return issues


def _target_references(row: Target, known: Ids, names: Names, unread: Collection[str]) -> Iterator[Issue]:
    """What a target is written on depends on its kind."""

    def look(column: str, id_: str, table: str) -> Iterator[Issue]:
        if id_ not in known[table] and table not in unread:
            yield unknown(row.at, column, id_, table, known[table], names.get(table, {}))

    if row.quantity.startswith(FUND):
        for fund in row.quantity[len(FUND) :].split(";"):  # several funds may stand together, as in a budget
            yield from look("quantity", fund, "funds")
    elif row.quantity not in MONEY:
        yield from look("quantity", row.quantity, "quantities")
    if row.of is not None:
        yield from look("of", row.of, "drivers" if row.kind == "intensity" else "quantities")


def _settings_references(tables: Tables, known: Ids, unread: Collection[str]) -> Iterator[Issue]:
    at = tables.settings.at
    for word in tables.settings.objective:
        if word in MONEY:
            continue
        if word.startswith(FUND):
            id_, table = word[len(FUND) :], "funds"
        elif word.removeprefix("-").startswith("quantity:"):
            id_, table = word.removeprefix("-")[len("quantity:") :], "quantities"
        else:
            yield error("unknown_objective", at, "objective", found=word, hint=closest(word, MONEY))
            continue
        if id_ not in known[table] and table not in unread:
            yield unknown(at, "objective", id_, table, known[table], {})


def unknown(place: Place, column: str, id_: str, table: str, known: Collection[str], names: Mapping[str, str]) -> Issue:
    """An id that is not in its table; when it is the name of something, the id to type."""
    if not known:
        return error("table_without_rows", place, column, found=id_, table=f"{table}.csv")
    if id_ in names:
        return error("name_for_id", place, column, found=id_, expected=names[id_], table=f"{table}.csv")
    match = closest(id_, [*known, *names])
    hint = names.get(match, match)
    return error("unknown_id", place, column, found=id_, table=f"{table}.csv", hint=hint)


def _unknown_scope(place: Place, scope: str, scopes: Collection[str], names: Mapping[str, str]) -> Issue:
    match = names.get(scope) or closest(scope, [*scopes, *names])
    return error("unknown_scope", place, "scope", found=scope, hint=names.get(match, match))


def _first_ids(rows: Iterable[Row]) -> set[str]:
    return {str(row.ids()[0]) for row in rows}


def _names(rows: Iterable[Row]) -> dict[str, str]:
    """Names for people -> id; Chinese place names with and without 市."""
    names: dict[str, str] = {}
    for row in rows:
        id_ = str(row.ids()[0])
        for name in (getattr(row, "name_zh", ""), getattr(row, "name_en", "")):
            for form in (name, name.removesuffix("市"), name + "市", name.casefold()):
                names.setdefault(form, id_)
    return names


def _sources(rows: Iterable[Row], known: Collection[str]) -> tuple[int, dict[str, int]]:
    """Facts without source, counted, and sources nobody can look up."""
    bare, strange = 0, dict[str, int]()
    for row in rows:
        sources = getattr(row, "source", ())
        bare += not sources
        for id_ in sources:
            if known and id_ not in known and id_ != JUDGEMENT:
                strange[id_] = strange.get(id_, 0) + 1
    return bare, strange


def _source_warnings(bare: int, strange: Mapping[str, int]) -> Iterator[Issue]:
    if bare:
        yield warning("without_source", Place("sources.csv"), found=bare)
    if strange:
        listed = ", ".join(list(strange)[:10])
        yield warning("unknown_sources", Place("sources.csv"), found=listed, number=sum(strange.values()))
