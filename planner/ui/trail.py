"""Trail: a visitor's way through a case - drafts that can be undone, plans that are pinned - as plain data to keep."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from planner.ui.draft import DEEPEST, Draft, EditMapping, History

MOST_PINS = 5
"""Plans that can be pinned beside the case's own [-]."""
Put = Callable[[tuple[EditMapping, ...]], Any]
"""Edits as they are kept: themselves, or a name under which they are found again."""
Get = Callable[[Any], tuple[EditMapping, ...]]


@dataclass(frozen=True)
class Pin:
    """A plan that was put aside, as a draft."""

    number: int
    name: str
    draft: Draft


@dataclass(frozen=True)
class Trail:
    """What is found again after a reload."""

    history: History
    pins: tuple[Pin, ...] = ()
    count: int = 0
    against: int | None = None


def told(case: str, trail: Trail, put: Put) -> dict[str, Any]:
    """A trail as plain data; edits that several drafts share stand once."""
    edits: list[tuple[EditMapping, ...]] = []
    places: dict[int, int] = {}

    def written(draft: Draft) -> list[Any]:
        if id(draft.edits) not in places:
            places[id(draft.edits)] = len(edits)
            edits.append(draft.edits)
        return [places[id(draft.edits)], dict(draft.positions)]

    drafts = [written(draft) for draft in trail.history.drafts]
    pins = [[pin.number, pin.name, written(pin.draft)] for pin in trail.pins]
    return {
        "case": case,
        "edits": [put(one) for one in edits],
        "drafts": drafts,
        "place": trail.history.place,
        "pins": pins,
        "count": trail.count,
        "against": trail.against,
    }


def read(case: str, data: Any, get: Get) -> Trail | None:
    """The trail that data tell; none where they are of another case or damaged."""
    try:
        if data["case"] != case:
            return None
        edits = [get(one) for one in data["edits"]]
        drafts = [_draft(edits, one) for one in data["drafts"]][: DEEPEST + 1]
        place = int(data["place"])
        pins = tuple(Pin(int(number), str(name), _draft(edits, one)) for number, name, one in data["pins"])
        count, against = int(data["count"]), data["against"]
    except (TypeError, ValueError, KeyError, IndexError, AttributeError):
        return None
    if not 0 <= place < len(drafts):
        return None
    history = History(drafts[0])
    history.drafts, history.place = drafts, place
    numbers = {pin.number for pin in pins[:MOST_PINS]}
    return Trail(history, pins[:MOST_PINS], count, against if against in numbers else None)


def _draft(edits: Sequence[tuple[EditMapping, ...]], data: Any) -> Draft:
    number, positions = data
    if not isinstance(positions, Mapping):
        raise TypeError(positions)
    return Draft(edits[int(number)], {str(lever): int(at) for lever, at in positions.items()})
