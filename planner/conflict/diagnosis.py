"""Diagnosis: why a case has no plan, in parts that can be shown, stored and acted on."""

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import Any, Literal

import numpy as np
import pandas as pd

from planner.case import Case
from planner.conflict.ceilings import ceilings
from planner.conflict.changes import Change, alike, changes
from planner.conflict.clash import Deadline, Finder, Found, TimeUpError, deadline
from planner.conflict.model import LIMITS, Element, Model, build
from planner.conflict.relax import Give, relaxation
from planner.conflict.repair import SMALL_CASE, Line, Repairs
from planner.engine import Options, Progress
from planner.errors import Place
from planner.problem import Problem
from planner.rows import Row
from planner.solution import Proof

Status = Literal["feasible", "infeasible"]
LINES = 12
"""Lines of the menu at most."""
PATIENCE = 100.0
"""How long ways out of a large case are sized where no time limit is given [s]."""
GOALS = ("target", "budget", "pin")
"""What is loosened first."""
PAIRS = 6
"""Pairs that are tried, each with two solves or more."""
LIMIT_LINES = 3
"""Measures whose potential, and as many whose ramp, are tried as a way out."""


@dataclass(frozen=True)
class Member:
    """What takes part in a clash: one thing of the tables, or several of a kind that are told together."""

    kind: str
    """target, budget, pin, floor, group; potential, ramp, first_year, lead_time, lump of measures."""
    ids: tuple[str, ...]
    places: tuple[Place, ...]
    """Rows that say it: file and number."""
    years: tuple[int, ...] = ()
    """Years of its rows that clash."""
    weight: float = 0.0
    """How much of the proof rests on it: of all that is asked for 1, of a limit in the same measure [-]."""


@dataclass(frozen=True)
class Clash:
    """A minimal clash: without any one of its members the others can hold."""

    members: tuple[Member, ...]
    gap: float
    """Part of its size by which each thing asked for would have to give, if all gave alike [-]."""
    proof: Proof


@dataclass(frozen=True)
class Alone:
    """How far one thing alone must give so that there is a plan."""

    element: Element
    change: Change
    size: float
    """In the unit of what changes; infinite where it alone does not suffice."""


@dataclass(frozen=True)
class Diagnosis:
    """Why there is no plan, and the ways out."""

    case: Case = field(repr=False)
    status: Status
    proof: Proof
    ceilings: pd.DataFrame = field(repr=False)
    clashes: tuple[Clash, ...] = ()
    more: bool = False
    """Whether there are more clashes than are told."""
    lumps: bool = False
    """Whether only whole lumps make it impossible."""
    together: float = 0.0
    """Part of its size that everything asked for must give if all give alike [-]."""
    relaxation: tuple[Give, ...] = ()
    """What gives where least is given in sum."""
    alone: tuple[Alone, ...] = ()
    menu: tuple[Line, ...] = ()
    searched: bool = False
    """Whether ways out were looked for."""
    unsized: tuple[Element, ...] = ()
    """What could perhaps give, too, and was not sized when the time ended."""
    hurried: tuple[str, ...] = ()
    """Stages that the time limit cut short: clash, relaxation."""
    timings: Mapping[str, float] = field(default_factory=dict)
    """Seconds by stage."""

    @property
    def impossible(self) -> pd.DataFrame:
        """Hard targets that miss even what arithmetic allows."""
        return self.ceilings[self.ceilings["impossible"] & ~self.ceilings["soft"]]


Tell = Callable[[Diagnosis], None]
"""Told the diagnosis as far as it is known."""


def diagnose(
    case: Case,
    options: Options | None = None,
    progress: Progress | None = None,
    repairs: bool = True,
    tell: Tell | None = None,
) -> Diagnosis:
    """Why `case` has no plan: clashes, the least relaxation, and with `repairs` the ways out, sized and priced.

    A case that has a plan gives a diagnosis with status `feasible`. The time limit of the options is that of all solves
    together; what is known when it ends is told. Raises SolverError when HiGHS has no answer, TimeUpError when
    the time ends before it is known whether there is a clash.
    """
    limit = deadline(options or Options())
    clock = Clock()
    problem = Problem(case)
    model = build(problem)
    clock.lap("build")
    ceiling = ceilings(model)
    clock.lap("ceilings")
    if progress is not None:
        progress("ceilings", clock.timings["ceilings"])
    impossible = ceiling["impossible"] & ~ceiling["soft"]
    empty = list(dict.fromkeys(Element("pin", str(key[0])) for _, key in problem.contradictions))
    proof: Proof = "arithmetic" if impossible.any() or empty else "elastic"
    clashes = tuple(nothing_to_pin(problem, element) for element in empty)
    diagnosis = Diagnosis(case, "infeasible", proof, ceiling, clashes)

    def now(**known: Any) -> Diagnosis:
        nonlocal diagnosis
        diagnosis = replace(diagnosis, **known, timings=dict(clock.timings))
        if tell is not None:
            tell(diagnosis)
        return diagnosis

    def looked(finder: Finder) -> list[Found]:
        found = []
        for each in finder.clashes([Element("target", t) for t in dict.fromkeys(ceiling["target"][impossible])]):
            found.append(each)
            try:
                clash = told(case, model, *with_lumps(model, each, finder.lumps, limit), limit)
            except TimeUpError:
                finder.stopped = True
                clash = told(case, model, each, finder.lumps, None)
            clashes = (*diagnosis.clashes, clash)
            now(clashes=clashes, lumps=finder.lumps, proof="none" if finder.lumps else proof)
        return found

    finder = Finder(model, limit, progress=progress)
    found = looked(finder)
    if not found and not empty and model.integer.any():
        finder = Finder(model, limit, True, progress)
        found = looked(finder)
    clock.lap("clashes")
    if not diagnosis.clashes:
        return Diagnosis(case, "feasible", "none", ceiling, timings=clock.timings)
    now(
        more=finder.more, together=0.0 if impossible.any() else finder.gap, hurried=("clash",) if finder.stopped else ()
    )
    if not finder.lumps:
        try:
            now(relaxation=relaxation(model, limit.options, progress))
            if impossible.any():  # the search began with these alone
                now(together=finder.test(model.elements, remember=False).gap)
        except TimeUpError:
            now(hurried=(*diagnosis.hurried, "relaxation"))
        clock.lap("relaxation")
    if repairs:
        finder.proofs += [frozenset([element]) for element in empty]
        for ways in ways_out(case, finder, found, diagnosis.clashes, empty, limit, progress):
            now(searched=True, menu=ways.menu, alone=ways.alone, unsized=ways.unsized)
        clock.lap("repairs")
    return now()


class Clock:
    """Seconds by stage."""

    def __init__(self) -> None:
        self.last = time.perf_counter()
        self.timings: dict[str, float] = {}

    def lap(self, stage: str) -> None:
        """Note the seconds since the last stage ended."""
        now = time.perf_counter()
        self.timings[stage] = round(now - self.last, 3)
        self.last = now


# Members -------------------------------------------------------------------------------------------------------------


TABLE_OF = {
    "target": "targets",
    "budget": "budgets",
    "pin": "pins",
    "floor": "quantities",
    "group": "groups",
    "potential": "potentials",
}
"""Table whose rows say it; limits of measures stand in `measures`."""


def rows_of(case: Case, element: Element) -> list[Row]:
    """Rows of the tables that say it."""
    return [row for row in case.rows(TABLE_OF.get(element.kind, "measures")) if row.ids()[0] == element.id]


def member(case: Case, elements: Sequence[Element], years: Iterable[int] = (), weight: float = 0.0) -> Member:
    """One or several elements of a kind as a member of a clash."""
    places = [row.at for element in elements for row in rows_of(case, element)]
    ids = tuple(element.id for element in elements)
    return Member(elements[0].kind, ids, tuple(dict.fromkeys(places)), tuple(sorted(set(years))), weight)


def nothing_to_pin(problem: Problem, element: Element) -> Clash:
    """A pin in years in which its measure cannot be started or does not stand, and the limit that says so."""
    case = problem.case
    years = [int(key[1]) for _, key in problem.contradictions if key[0] == element.id]
    pin = next(row for row in case.pins if row.pin == element.id)
    row = problem.measures[pin.measure]
    cities = [pin.city] if pin.city else problem.cities
    reasons = {
        "potential": not any((row.measure, c) in problem.potential_path for c in cities),
        "first_year": any(row.first_year is not None and y < row.first_year for y in years),
        "lead_time": any(y + row.lead_time > problem.last for y in years),
    }
    members = [member(case, [element], years, 1.0)]
    if sum(reasons.values()) == 1:
        kind = next(kind for kind, holds in reasons.items() if holds)
        members.append(member(case, [Element(kind, row.measure)]))
    return Clash(tuple(members), float("inf"), "arithmetic")


def told(case: Case, model: Model, found: Found, lumps: bool, limit: Deadline | None) -> Clash:
    """A clash with its members in the order of the tables, what is asked first; without `limit` what takes a solve is
    left out.
    """
    years: dict[Element, list[int]] = {}
    for i in found.rows.tolist():
        years.setdefault(model.owners[i], []).append(int(model.rows[i][1][-1]))
    order = {kind: i for i, kind in enumerate((*TABLE_OF, *LIMITS))}
    lots = [[element] for element in found.members] + [
        sorted(lot, key=lambda e: (-found.weight.get(e, 0.0), e)) for lot in found.together
    ]
    members = [
        member(
            case,
            lot,
            [y for element in lot for y in years.get(element, ())],
            sum(found.weight.get(element, 0.0) for element in lot),
        )
        for lot in lots
    ]
    members.sort(key=lambda m: (order[m.kind], -m.weight, m.ids))
    asked = [element for element in found.all if element.kind not in LIMITS]
    if limit is None:
        pass
    elif lumps:
        members.append(lumpy(case, model, asked, limit))
    elif len(asked) == len(found.all):
        members += lead_times(case, model, asked, limit)
    return Clash(tuple(members), found.verdict.gap, "none" if lumps else "elastic")


def with_lumps(model: Model, found: Found, lumps: bool, limit: Deadline) -> tuple[Found, bool]:
    """The clash, or what is left of it where whole lumps let even less of it hold; and whether lumps are part of it."""
    asked = [element for element in found.all if element.kind not in LIMITS]
    if lumps or not model.integer.any() or len(asked) == 1:
        return found, lumps
    whole = Finder(model, limit, True)
    smaller = whole.smallest(asked, found.verdict)
    if smaller.all == frozenset(asked):
        return found, False
    return replace(smaller, weight=found.weight), True


def lead_times(case: Case, model: Model, asked: Sequence[Element], limit: Deadline) -> Iterator[Member]:
    """The lead times of the measures that could help, where without them what is asked could hold."""
    rows = np.concatenate([model.rows_of[element] for element in asked])
    touched = np.flatnonzero(abs(model.asked[rows, :]).sum(axis=0) > 0)
    involved = {str(model.columns[j][1][0]) for j in touched if model.columns[j][0] in ("starts", "stock")}
    slow = [row.measure for row in case.measures if row.lead_time and row.measure in involved]
    if slow:
        edits = [{"table": "measures", "key": {"measure": m}, "set": {"lead_time": 0}} for m in slow]
        if not Finder(build(Problem(case.edited(edits))), limit).test(asked).clash:
            yield member(case, [Element("lead_time", m) for m in slow])


def lumpy(case: Case, model: Model, asked: Sequence[Element], limit: Deadline) -> Member:
    """The measures whose whole lumps make what is asked impossible."""
    needed = list(model.problem.lump)
    for m in list(needed):
        fewer = [other for other in needed if other != m]
        whole = np.array([f == "lumps" and str(key[0]) in fewer for f, key in model.columns], dtype=bool)
        if fewer and Finder(replace(model, integer=whole), limit, True).test(asked).clash:
            needed = fewer
    return member(case, [Element("lump", m) for m in needed])


# Ways out ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Ways:
    """The menu as far as it is known, and how far each target, budget and pin of the clashes must give alone."""

    menu: tuple[Line, ...]
    alone: tuple[Alone, ...]
    unsized: tuple[Element, ...]


def ways_out(
    case: Case,
    finder: Finder,
    found: Sequence[Found],
    clashes: Sequence[Clash],
    needed: Collection[Element],
    limit: Deadline,
    progress: Progress | None,
) -> Iterator[Ways]:
    """The menu, line by line until the time ends; what clashes gives first, the weightiest first."""
    large = len(finder.model.columns) > SMALL_CASE
    if large and limit.end == np.inf:
        limit = limit.within(PATIENCE)
    finder.limit = limit
    core = {element for each in found for element in each.all if element.kind not in LIMITS}
    repairs = Repairs(case, finder, limit, progress, needed, core)
    years = {Element(m.kind, m.ids[0]): m.years for clash in clashes for m in clash.members if len(m.ids) == 1}
    weight = {element: w for each in found for element, w in each.weight.items()}
    elements = sorted({e for proof in finder.proofs for e in proof}, key=lambda e: (-weight.get(e, 0.0), e))
    lines: list[Line] = []
    sizes: dict[Element, Alone] = {}
    steps: list[tuple[Element, list[Change]]] = []
    for element, offered in candidates(case, finder, found, clashes, elements):
        several = list(offered or changes(case, finder.model, element, years.get(element, ())))
        if any(repairs.may_suffice(change) for change in several):
            steps.append((element, several))
        elif element in years and not all(change.whole for change in several):
            change = next(change for change in several if not change.whole)
            sizes[element] = Alone(element, change, np.inf)
    if large:  # what takes one solve comes first
        quick = [(element, [c for c in several if repairs.quick(c)]) for element, several in steps]
        slow = [(element, [c for c in several if not repairs.quick(c)]) for element, several in steps]
        steps = [(element, several) for element, several in (*quick, *slow) if several]
        steps.sort(key=lambda step: (len(step[1][0].elements) == 1, step[0].kind not in GOALS))
    left = [element for element, _ in steps]

    def ways() -> Ways:
        alone = tuple(one for element, one in sizes.items() if element.kind in GOALS)
        menu = tuple(sorted(lines, key=lambda line: line.cost))
        return Ways(menu, alone, tuple(dict.fromkeys(element for element in left if element not in sizes)))

    yield ways()
    try:
        for element, several in steps:
            for change in repairs.worthwhile(several):
                line = repairs.line(change)
                if line is not None:
                    lines.append(line)
                single = len(change.elements) == 1
                if not change.whole and single and element in years and (line or element not in sizes):
                    sizes[element] = Alone(element, change, line.parts[0].size if line else np.inf)
                if line is not None:
                    yield ways()
            left.pop(0)
            if len(lines) >= LINES:
                left.clear()
                break
        if not any(len(line.parts[0].change.elements) == 1 for line in lines):
            lines += pairs(case, repairs, elements)
    except TimeUpError:
        pass
    yield ways()


def candidates(
    case: Case, finder: Finder, found: Sequence[Found], clashes: Sequence[Clash], elements: Sequence[Element]
) -> list[tuple[Element, tuple[Change, ...]]]:
    """What may give, in the order in which it is tried: an element with all its changes, or with those named."""
    goals = [element for element in elements if element.kind in GOALS]
    limits = limit_changes(case, finder.model, found) if not finder.lumps else lump_changes(case, finder.model, clashes)
    common = frozenset.intersection(*[each.members for each in found]) if found else frozenset()
    budgets = [e for e in finder.model.elements if e.kind == "budget"]
    many = budgets if sum(e.kind == "budget" for e in goals) > 1 else []
    joint = [*many, *sorted(e for e in common if e.kind in LIMITS)]
    together = [] if finder.lumps else list(alike(case, finder.model, joint))
    steps: list[tuple[Element, tuple[Change, ...]]] = [(change.element, (change,)) for change in together]
    steps += [(e, ()) for e in goals]
    steps += [(change.element, (change,)) for change in limits]
    return steps + [(element, ()) for element in elements if element not in goals]


def limit_changes(case: Case, model: Model, found: Sequence[Found]) -> Iterator[Change]:
    """Changes of the limits on which every clash rests, the weightiest first, some of each kind."""
    if not found:
        return
    common = frozenset.intersection(*[each.all for each in found])
    weight = found[0].weight
    for kind in LIMITS:
        of_kind = sorted((e for e in common if e.kind == kind), key=lambda e: (-weight.get(e, 0.0), e))
        for element in of_kind[:LIMIT_LINES]:
            yield from changes(case, model, element)


def lump_changes(case: Case, model: Model, clashes: Sequence[Clash]) -> Iterator[Change]:
    """More potential or a faster ramp for measures whose whole lumps clash."""
    found = dict.fromkeys(
        m for clash in clashes for member in clash.members if member.kind == "lump" for m in member.ids
    )
    for m in list(found)[:LIMIT_LINES]:
        for kind in ("potential", "ramp"):
            yield from changes(case, model, Element(kind, m))


def pairs(case: Case, repairs: Repairs, elements: Sequence[Element]) -> list[Line]:
    """Where no change suffices alone: the cheapest of the pairs tried, or as many changes as there are clashes."""
    lines: list[Line] = []
    ways = {e: first(case, repairs.model, e) for e in elements}
    usable = [e for e in elements if ways[e] is not None]
    tries = PAIRS if len(repairs.model.columns) <= SMALL_CASE else PAIRS // 2
    for pair in combinations(usable, 2):
        if tries == 0:
            break
        if all(set(pair) & proof for proof in repairs.finder.proofs):
            tries -= 1
            line = repairs.together([way for e in pair if (way := ways[e]) is not None])
            if line is not None:
                lines.append(line)
    if lines:
        return sorted(lines, key=lambda line: line.cost)[:2]
    for _ in range(5):
        chosen = hitting(repairs.finder.proofs, usable)
        if chosen is None:
            return []
        known = len(repairs.finder.proofs)
        line = repairs.together([way for e in chosen if (way := ways[e]) is not None])
        if line is not None:
            return [line]
        if len(repairs.finder.proofs) == known:
            return []
    return []


def first(case: Case, model: Model, element: Element) -> Change | None:
    """The change of its size that an element offers."""
    return next((change for change in changes(case, model, element) if not change.whole), None)


def hitting(proofs: Sequence[frozenset[Element]], usable: Sequence[Element]) -> list[Element] | None:
    """Few elements of which every proof has one; none where a proof has no usable one."""
    chosen: list[Element] = []
    left = list(proofs)
    while left:
        best = max(usable, key=lambda e: sum(e in proof for proof in left), default=None)
        if best is None or not any(best in proof for proof in left):
            return None
        chosen.append(best)
        left = [proof for proof in left if best not in proof]
    return chosen
