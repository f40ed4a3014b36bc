"""Store: named scenarios, drafts and workshop rooms that outlive a browser, in one SQLite file.

Whoever saves says which version was seen last, so two people who save under the same name are told. Every call opens
the file for itself: threads and processes share it, and a write is all or nothing.
"""

import hashlib
import json
import os
import sqlite3
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from planner.errors import PlannerError

PLACE = "PLANNER_STORE"
"""Environment variable: the file of the store."""
WAIT = 10.0
"""How long a write waits for others [s]."""
LONGEST_NAME = 60
"""Characters of a name at most [-]."""
LARGEST = 2_000_000
"""Characters of a scenario or draft at most [-]."""
DRAFT_DAYS = 90
"""How long a draft is kept that nobody opens [d]."""
DAY = 86_400.0
TABLES = """
CREATE TABLE IF NOT EXISTS scenarios (
    "case" TEXT NOT NULL, name TEXT NOT NULL, version INTEGER NOT NULL, edits TEXT NOT NULL, saved_by TEXT NOT NULL,
    saved_at REAL NOT NULL, PRIMARY KEY ("case", name));
CREATE TABLE IF NOT EXISTS drafts (key TEXT PRIMARY KEY, content TEXT NOT NULL, seen_at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS rooms (
    room TEXT PRIMARY KEY, "case" TEXT NOT NULL, secret TEXT NOT NULL, opened_at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS moves (
    number INTEGER PRIMARY KEY AUTOINCREMENT, room TEXT NOT NULL, team TEXT NOT NULL, what TEXT NOT NULL,
    content TEXT NOT NULL, at REAL NOT NULL);
CREATE INDEX IF NOT EXISTS moves_of ON moves (room, number);
"""
Edits = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Saved:
    """A named scenario as it is kept."""

    case: str
    name: str
    version: int
    """1 when it is new; one more with every save."""
    edits: tuple[Mapping[str, Any], ...]
    by: str
    at: float
    """When it was saved [s since 1970]."""


@dataclass(frozen=True)
class Move:
    """Something a team or the facilitator did in a room."""

    number: int
    team: str
    what: str
    content: Mapping[str, Any]
    at: float


class ConflictError(PlannerError):
    """Somebody else saved under this name since it was seen; carries what stands there now."""

    def __init__(self, now: Saved) -> None:
        self.now = now
        super().__init__(f"{now.name}: version {now.version} by {now.by or 'somebody'}")


class StoreError(PlannerError):
    """The store cannot be read or written."""


def default_place() -> Path:
    """The file named by the environment, else one in the user's folder for data."""
    named = os.environ.get(PLACE)
    if named:
        return Path(named)
    if sys.platform == "win32":
        root = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        root = Path.home() / "Library" / "Application Support"
    else:
        root = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
    return root / "measure-planner" / "store.sqlite"


class Store:
    """One file of scenarios, drafts and rooms. Every method raises StoreError where the file cannot be used."""

    def __init__(self, place: Path | None = None) -> None:
        self.place = place or default_place()
        self._made = False

    @contextmanager
    def _open(self, writing: bool = False) -> Iterator[sqlite3.Connection]:
        try:
            self.place.parent.mkdir(parents=True, exist_ok=True)
            file = sqlite3.connect(self.place, timeout=WAIT, isolation_level=None)
        except (sqlite3.Error, OSError) as fault:
            raise StoreError(str(fault)) from fault
        try:
            if not self._made:
                file.execute("PRAGMA journal_mode=WAL")
                file.executescript(TABLES)
                self._made = True
            file.execute("BEGIN IMMEDIATE" if writing else "BEGIN")
            yield file
            file.execute("COMMIT")
        except sqlite3.Error as fault:
            raise StoreError(str(fault)) from fault
        finally:
            file.close()  # what was not committed is undone

    # ------------------------------------------------------------ scenarios

    def save(self, case: str, name: str, edits: Edits, known: int = 0, by: str = "") -> Saved:
        """Keep edits under a name; `known` is the version seen last, 0 for a new name.

        Raises ConflictError where another version stands there, ValueError for a name or edits that cannot be kept.
        """
        name = tidy(name)
        text = _text(list(edits))
        if not name:
            raise ValueError("a scenario needs a name")
        with self._open(writing=True) as file:
            now = _saved(file, case, name)
            if (now.version if now else 0) != known and now is not None:
                raise ConflictError(now)
            new = Saved(case, name, known + 1, tuple(edits), by, time.time())
            file.execute(
                'INSERT OR REPLACE INTO scenarios ("case", name, version, edits, saved_by, saved_at) '
                "VALUES (?, ?, ?, ?, ?, ?)",
                (case, name, new.version, text, by, new.at),
            )
        return new

    def load(self, case: str, name: str) -> Saved | None:
        """The scenario of that name; none where there is none."""
        with self._open() as file:
            return _saved(file, case, name)

    def delete(self, case: str, name: str, known: int) -> None:
        """Remove a scenario; raises ConflictError where somebody saved it since `known`."""
        with self._open(writing=True) as file:
            now = _saved(file, case, name)
            if now is not None and now.version != known:
                raise ConflictError(now)
            file.execute('DELETE FROM scenarios WHERE "case" = ? AND name = ?', (case, name))

    def scenarios(self, case: str) -> list[Saved]:
        """All scenarios of a case, the latest first."""
        with self._open() as file:
            rows = file.execute(f'{_SELECT} WHERE "case" = ? ORDER BY saved_at DESC', (case,)).fetchall()
        return [_row(row) for row in rows]

    # ------------------------------------------------------------ drafts

    def keep(self, content: Any) -> str:
        """Keep something under a key made from it: the same content has the same key, and no key ever changes."""
        text = _text(content)
        key = hashlib.sha256(text.encode()).hexdigest()[:24]
        now = time.time()
        with self._open(writing=True) as file:
            file.execute("INSERT OR REPLACE INTO drafts (key, content, seen_at) VALUES (?, ?, ?)", (key, text, now))
            file.execute("DELETE FROM drafts WHERE seen_at < ?", (now - DRAFT_DAYS * DAY,))
        return key

    def kept(self, key: str) -> Any:
        """What is kept under a key; none where nothing is."""
        with self._open(writing=True) as file:
            row = file.execute("SELECT content FROM drafts WHERE key = ?", (key,)).fetchone()
            file.execute("UPDATE drafts SET seen_at = ? WHERE key = ?", (time.time(), key))
        return None if row is None else json.loads(row[0])

    # ------------------------------------------------------------ rooms

    def open_room(self, room: str, case: str, secret: str) -> bool:
        """Open a room for a case; false where its code is taken."""
        with self._open(writing=True) as file:
            made = file.execute(
                'INSERT OR IGNORE INTO rooms (room, "case", secret, opened_at) VALUES (?, ?, ?, ?)',
                (room, case, secret, time.time()),
            )
            return made.rowcount == 1

    def room(self, room: str) -> tuple[str, str] | None:
        """Case and secret of a room; none where there is no such room."""
        with self._open() as file:
            row = file.execute('SELECT "case", secret FROM rooms WHERE room = ?', (room,)).fetchone()
        return None if row is None else (str(row[0]), str(row[1]))

    def add(self, room: str, team: str, what: str, content: Mapping[str, Any] | None = None) -> int:
        """Note a move in a room; returns its number."""
        text = _text(dict(content or {}))
        with self._open(writing=True) as file:
            made = file.execute(
                "INSERT INTO moves (room, team, what, content, at) VALUES (?, ?, ?, ?, ?)",
                (room, tidy(team), what, text, time.time()),
            )
            return int(made.lastrowid or 0)

    def moves(self, room: str, after: int = 0) -> list[Move]:
        """Moves in a room in their order, those after a number."""
        with self._open() as file:
            rows = file.execute(
                "SELECT number, team, what, content, at FROM moves WHERE room = ? AND number > ? ORDER BY number",
                (room, after),
            ).fetchall()
        return [Move(number, team, what, json.loads(content), at) for number, team, what, content, at in rows]


_SELECT = 'SELECT "case", name, version, edits, saved_by, saved_at FROM scenarios'


def _saved(file: sqlite3.Connection, case: str, name: str) -> Saved | None:
    row = file.execute(f'{_SELECT} WHERE "case" = ? AND name = ?', (case, tidy(name))).fetchone()
    return None if row is None else _row(row)


def _row(row: Sequence[Any]) -> Saved:
    case, name, version, edits, by, at = row
    return Saved(case, name, version, tuple(json.loads(edits)), by, at)


def _text(content: Any) -> str:
    """Content as JSON; raises ValueError where it is too large, or no JSON."""
    text = json.dumps(content, ensure_ascii=False, sort_keys=True, allow_nan=False, separators=(",", ":"))
    if len(text) > LARGEST:
        raise ValueError("too large to be kept")
    return text


def tidy(name: str) -> str:
    """A name on one line, not too long.

    >>> tidy("  two\\n  words ")
    'two words'
    """
    return " ".join("".join(c if c.isprintable() else " " for c in name).split())[:LONGEST_NAME]
