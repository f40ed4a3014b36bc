"""Rooms: what stands on the board of a workshop, read from the moves that the store keeps."""

import json
import secrets
import socket
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any
from urllib.parse import quote, urlsplit

import segno

from planner.case import Case
from planner.plan import Plan
from planner.store import Move, Store
from planner.ui import figures
from planner.ui.draft import EditMapping
from planner.ui.levers import total

LETTERS = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"
"""What a code is made of: nothing that is read as something else."""
CODE = 5
HOST = ""
"""Team of the facilitator."""
LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True)
class Snapshot:
    """A plan that a team put on the board."""

    number: int
    team: str
    name: str
    cost: float
    """Net present value [currency]."""
    total: float
    """Sum of the main quantity over all years [its unit]."""
    capex: float
    missed: int
    """Targets that are missed [-]."""
    edits: tuple[EditMapping, ...]


@dataclass
class Question:
    """What the teams guess the cost of, their guesses, and the answer once it is revealed."""

    name: str
    edits: tuple[EditMapping, ...]
    guesses: dict[str, float] = field(default_factory=dict)
    """By team [currency]."""
    cost: float | None = None


@dataclass
class Board:
    """All that happened in a room since it was last reset."""

    moves: list[Move] = field(default_factory=list)
    snapshots: list[Snapshot] = field(default_factory=list)
    question: Question | None = None

    @property
    def teams(self) -> list[str]:
        """Teams in the order in which they came."""
        return list(dict.fromkeys(move.team for move in self.moves if move.team != HOST))

    @property
    def latest(self) -> dict[str, Snapshot]:
        """The last snapshot of every team."""
        return {one.team: one for one in self.snapshots}


def board(moves: Iterable[Move]) -> Board:
    """The board after these moves."""
    found = Board()
    for move in moves:
        content = move.content
        if move.what == "reset":
            found = Board()
            continue
        found.moves.append(move)
        if move.what == "snapshot":
            numbers = (content["cost"], content["total"], content["capex"], content["missed"])
            edits = tuple(content["edits"])
            found.snapshots.append(Snapshot(move.number, move.team, content["name"], *numbers, edits))
        elif move.what == "question":
            found.question = Question(content["name"], tuple(content["edits"]))
        elif move.what == "guess" and found.question is not None and found.question.cost is None:
            found.question.guesses[move.team] = float(content["cost"])
        elif move.what == "reveal" and found.question is not None:
            found.question.cost = float(content["cost"])
    return found


def told(plan: Plan, quantity: str | None) -> dict[str, Any]:
    """What a move says of a plan."""
    return {
        "cost": figures.present_value(plan),
        "total": float(total(plan, quantity)["planned"].sum()) if quantity else 0.0,
        "capex": figures.investment(plan),
        "missed": int(plan.targets.loc[plan.targets["missed"] > 0, "target"].nunique()),
    }


def opened(store: Store, case: str) -> tuple[str, str]:
    """A new room: its code, and the secret that makes a facilitator."""
    while True:
        code = "".join(secrets.choice(LETTERS) for _ in range(CODE))
        secret = secrets.token_urlsafe(12)
        if store.open_room(code, case, secret):
            return code, secret


def export(room: str, case: Case, moves: Iterable[Move]) -> bytes:
    """The whole session, what was reset included, as JSON."""
    listed = [
        {"number": one.number, "team": one.team, "what": one.what, "at": one.at, "content": one.content}
        for one in moves
    ]
    content = {"room": room, "case": case.settings.name, "digest": case.digest, "moves": listed}
    return json.dumps(content, ensure_ascii=False, indent=1).encode()


# ---------------------------------------------------------------- address


def address(url: str, room: str, served: str | None) -> tuple[str, bool]:
    """Where others on the local network find a room, and whether the server listens there."""
    parts = urlsplit(url)
    host = parts.hostname or LOOPBACK[0]
    reached = served not in LOOPBACK
    if host in LOOPBACK and reached:
        host = own_address() or host
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme or 'http'}://{host}{port}/?mode=workshop&room={quote(room)}", reached


def own_address() -> str | None:
    """Address of this machine on its network; nothing is sent to find it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("10.255.255.255", 9))
            return str(probe.getsockname()[0])
        except OSError:
            return None


def code_of(text: str, ground: Mapping[str, str]) -> str:
    """A text as a QR code: an SVG picture."""
    picture = BytesIO()
    segno.make(text, error="m").save(picture, kind="svg", scale=6, border=2, xmldecl=False, **ground)
    return picture.getvalue().decode()
