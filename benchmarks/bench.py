"""Every demand on speed as a ratio, measured in one run against the raw twin and other tools.

    make bench          all sizes, about a quarter of an hour on an idle machine
    make bench-quick    M only and without frontiers, under a minute

Everything is CPU time of one process with one solver thread, in rounds that take turns, so that other work on the
machine counts little; ratios are medians over the rounds. Each size, and each build whose memory is told, runs in a
process of its own. Prints the table and writes the numbers by flat names to `benchmarks/latest.json`; those that a run
does not measure keep their last value.
"""

import argparse
import gc
import json
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from benchmarks import raw
from benchmarks.provinces import SIZES, Province, case, province
from planner.case import Case
from planner.certificate import certify
from planner.compile import compile_problem
from planner.engine import Options, Solver
from planner.explore import frontier
from planner.live import Live
from planner.plan import priced_rows
from planner.plan import solve as solve_case
from planner.problem import Problem
from planner.session import Session
from planner.stages import solve as solve_matrix
from planner.tables import read_case

T = TypeVar("T")
LATEST = Path(__file__).parent / "latest.json"
ALIKE = 1e-6
"""Part of the least cost by which two tools may differ [-]."""
COLD_POINTS = 2
REACH = 0.95
"""How far towards its least value a frontier goes: the last few percent cost beyond all measure [-]."""


@dataclass(frozen=True)
class Effort:
    """How often each thing is measured."""

    builds: int
    solves: int = 0
    peers: int = 1
    edits: int = 30
    slow_edits: int = 15
    points: int = 40
    pyomo: bool = True


EFFORTS = {"S": Effort(7, 5, 2), "M": Effort(7, 3, 2), "L": Effort(5, 1), "XL": Effort(2, pyomo=False)}
QUICK = Effort(3, 1, edits=8, slow_edits=4, points=0, pyomo=False)
DEMANDS: dict[str, tuple[str, str, float]] = {
    "compile_ratio_M": ("build until HiGHS can run / raw, M", "<=", 4.0),
    "compile_ratio_L": ("build until HiGHS can run / raw, L", "<=", 2.5),
    "compile_ratio_XL": ("build until HiGHS can run / raw, XL", "<=", 2.5),
    "build_solve_ratio_S": ("build and solve / raw, S", "<=", 1.5),
    "build_solve_ratio_M": ("build and solve / raw, M", "<=", 1.1),
    "build_solve_ratio_L": ("build and solve / raw, L", "<=", 1.1),
    "memory_ratio_M": ("memory of the build / raw, M", "<=", 1.4),
    "memory_ratio_L": ("memory of the build / raw, L", "<=", 1.4),
    "memory_ratio_XL": ("memory of the build / raw, XL", "<=", 1.4),
    "edit_to_answer_ratio": ("edit to answer / bare HiGHS, warm, on the same matrix, p50, M", "<=", 1.3),
    "edit_to_answer_ratio_raw_twin": ("edit to answer / bare HiGHS, warm, on the raw twin, p50, M", "<=", 1.3),
    "vs_linopy_persistent": ("edit to answer: times faster than linopy persistent, M", ">=", 8.0),
    "vs_linopy_rebuild": ("edit to answer: times faster than linopy rebuilt, M", ">=", 100.0),
    "vs_pyoptinterface_rebuild": ("edit to answer: times faster than pyoptinterface rebuilt, M", ">=", 100.0),
    "vs_pyomo_rebuild": ("edit to answer: times faster than Pyomo rebuilt, M", ">=", 100.0),
    "vs_raw_rebuild": ("edit to answer: times faster than raw rebuilt, M", ">=", 100.0),
    "edit_to_answer_ratio_jiangxi": ("edit to answer / bare HiGHS, warm, on the same matrix, p50, Jiangxi", "<=", 1.3),
    "frontier_warm_ratio_jiangxi": ("frontier of 40 points: times faster than cold, Jiangxi", ">=", 8.0),
    "frontier_warm_ratio": ("frontier in one session: times faster than cold, M", ">=", 8.0),
    "vs_linopy_build_M": ("build: times faster than linopy, M", ">=", 8.0),
    "vs_linopy_build_L": ("build: times faster than linopy, L", ">=", 1.0),
    "vs_linopy_build_XL": ("build: times faster than linopy, XL", ">=", 1.0),
}
"""What is asked of which number, in the order of the table."""


def cpu(work: Callable[[], T]) -> tuple[float, T]:
    """CPU seconds of some work, and what it returns."""
    gc.collect()
    began = time.process_time()
    found = work()
    return time.process_time() - began, found


class Numbers:
    """Seconds by name, and ratios of medians."""

    def __init__(self) -> None:
        self.seconds: dict[str, list[float]] = {}
        self.told: dict[str, float] = {}

    def time(self, name: str, work: Callable[[], T]) -> T:
        """Time some work under a name."""
        spent, found = cpu(work)
        self.seconds.setdefault(name, []).append(spent)
        return found

    def median(self, *names: str) -> float:
        """Sum of the medians."""
        return sum(statistics.median(self.seconds[name]) for name in names)

    def ratio(self, name: str, over: Iterable[str], under: Iterable[str]) -> None:
        """Median over the rounds of a sum of times to another, and how far its quartiles are apart."""
        above, below = (
            [sum(t) for t in zip(*(self.seconds[n] for n in names), strict=True)] for names in (over, under)
        )
        if len(above) == len(below):
            rounds = [a / b for a, b in zip(above, below, strict=True)]
        else:
            rounds = [a / statistics.median(below) for a in above]
        self.told[name] = statistics.median(rounds)
        if len(rounds) > 2:
            low, _, high = statistics.quantiles(rounds, n=4)
            self.told[f"{name}_spread"] = high - low

    def tell(self, size: str, names: Iterable[str]) -> None:
        """The medians themselves."""
        for name in names:
            if name in self.seconds:
                self.told[f"{name}_seconds_{size}"] = self.median(name)


# Builds --------------------------------------------------------------------------------------------------------------


def planner_ready(problem_of: Case) -> Solver:
    """From a case to a HiGHS that can run."""
    matrix = compile_problem(Problem(problem_of))
    solver = Solver(matrix, Options())
    tell_costs(solver)
    return solver


def tell_costs(solver: Solver) -> None:
    """Tell HiGHS the costs as scaled, as a solve does."""
    costs = solver.matrix.stages[-1].coefficients * solver.scaling.columns
    solver.highs.changeColsCost(costs.size, np.arange(costs.size, dtype=np.int32), costs)


def linopy_ready(p: Province) -> Any:
    """A linopy model and its solver."""
    from benchmarks import peers

    model = peers.in_linopy(p)
    return model, peers.linopy_solver(model)


def pyoptinterface_ready(p: Province) -> Any:
    """A pyoptinterface model, which holds its HiGHS."""
    from benchmarks import peers

    return peers.in_pyoptinterface(p)


def pyomo_ready(made: Case) -> Any:
    """A Pyomo model in the interface to HiGHS that comes with it."""
    from benchmarks import peers

    model = peers.in_pyomo(Problem(made))
    solver = peers.pyomo_solver()
    solver.set_instance(model)
    return model, solver


def builds(size: str, p: Province, made: Case, numbers: Numbers, effort: Effort) -> None:
    """Time every build in turn; the first round warms up and does not count."""
    twin = raw.build(p)
    for round_ in range(effort.builds + 1):
        if round_ == 1:
            numbers.seconds.clear()
        numbers.time("raw_arrays", lambda: raw.build(p))
        numbers.time("raw_pass", lambda: raw.passed(twin))
        matrix = numbers.time("compile", lambda: compile_problem(Problem(made)))
        solver = numbers.time("pass", lambda of=matrix: ready(of))
        if round_ == 0:
            assert_same_size(size, twin, matrix.A.shape, matrix.A.nnz, "planner")
        del matrix, solver
    numbers.ratio(f"compile_ratio_{size}", ("compile", "pass"), ("raw_arrays", "raw_pass"))
    numbers.ratio(f"compile_alone_ratio_{size}", ("compile",), ("raw_arrays",))
    numbers.tell(size, ("raw_arrays", "raw_pass", "compile", "pass"))
    if effort.peers:
        for round_ in range(effort.peers):
            model, solver = numbers.time("linopy_build", lambda: linopy_ready(p))
            if round_ == 0:
                entries = solver.solver_model.getNumNz()
                assert_same_size(size, twin, (model.ncons, model.nvars), entries, "linopy")
            del model, solver
            other, _ = numbers.time("pyoptinterface_build", lambda: pyoptinterface_ready(p))
            if round_ == 0:
                assert_same_size(size, twin, (other.getnumrow(), other.getnumcol()), None, "pyoptinterface")
            del other
        if effort.pyomo:
            numbers.time("pyomo_build", lambda: pyomo_ready(made))
        for name in ("linopy", "pyoptinterface", "pyomo"):
            if f"{name}_build" in numbers.seconds:
                numbers.ratio(f"vs_{name}_build_{size}", (f"{name}_build",), ("compile", "pass"))
                numbers.ratio(f"{name}_build_ratio_{size}", (f"{name}_build",), ("raw_arrays", "raw_pass"))
        numbers.tell(size, ("linopy_build", "pyoptinterface_build", "pyomo_build"))


def ready(matrix: Any) -> Solver:
    """A HiGHS that can run, from a compiled matrix."""
    solver = Solver(matrix, Options())
    tell_costs(solver)
    return solver


def assert_same_size(size: str, twin: raw.Twin, shape: tuple[int, int], entries: int | None, who: str) -> None:
    """Refuse to compare different problems."""
    if shape != twin.A.shape or entries not in (None, twin.A.nnz):
        raise AssertionError(f"{size}: {who} has {shape}, {entries}; raw {twin.A.shape}, {twin.A.nnz}")


def assert_same_value(who: str, value: float, of: float) -> None:
    """Refuse to compare different problems."""
    if abs(value - of) > ALIKE * abs(of):
        raise AssertionError(f"{who} finds {value}, raw {of}")


def solves(size: str, p: Province, made: Case, numbers: Numbers, effort: Effort) -> None:
    """Build and solve, cold, in turn; all optima are asserted to be equal."""
    value = 0.0
    for _ in range(effort.solves):
        value = numbers.time("raw_build_solve", lambda: raw.solve(raw.passed(raw.build(p))))

        def ours() -> float:
            matrix = compile_problem(Problem(made))
            return solve_matrix(matrix, options=Options(prices=False, break_ties=False)).stages[-1].value

        assert_same_value("planner", numbers.time("build_solve", ours), value)
    numbers.ratio(f"build_solve_ratio_{size}", ("build_solve",), ("raw_build_solve",))
    numbers.tell(size, ("raw_build_solve", "build_solve"))
    if effort.peers and effort.pyomo and size in "SM":
        assert_same_value("Pyomo", numbers.time("pyomo_rebuild", lambda: in_pyomo(made)), value)


def in_pyomo(made: Case) -> float:
    """Build, solve and read."""
    from benchmarks import peers

    model = peers.in_pyomo(Problem(made))
    return float(peers.pyomo_solver().solve(model).best_feasible_objective)


# Edits ---------------------------------------------------------------------------------------------------------------


def edits(p: Province, made: Case, numbers: Numbers, effort: Effort) -> None:
    """The same edits of targets in a session, in HiGHS alone, and in linopy with its model kept."""
    rng = random.Random(1)
    session, own = opened(made)
    twin = raw.build(p)
    highs = raw.passed(twin)
    least = raw.solve(highs)
    limits = np.array([goal.limit for goal in p.goals])
    if effort.peers:
        in_linopy = numbers.time("linopy_rebuild", lambda: linopy_open(p, least))
        assert_same_value("pyoptinterface", numbers.time("pyoptinterface_rebuild", lambda: in_pyoptinterface(p)), least)
    targets = [row for row in p.targets if row["kind"] in ("level", "abated")]
    now = {row["target"]: row["value"] for row in targets}
    for number in range(effort.edits):
        row = rng.choice(targets)
        name, value = row["target"], float(row["value"] * rng.uniform(0.97, 1.03))
        mine = np.flatnonzero(np.array([goal.target == name for goal in p.goals]))
        limits[mine] -= value - now[name]
        now[name] = value
        told = in_session(session, own, name, value, numbers, "edit")
        assert told is not None
        bare = partial(raw_edit, highs, twin.goals[mine], limits[mine])
        assert_same_value(f"planner, edit {number}", told, numbers.time("raw_edit", bare))
        if effort.peers and number < effort.slow_edits:
            assert_same_value("linopy", numbers.time("linopy_edit", partial(in_linopy, limits.copy())), told)
    numbers.ratio("edit_to_answer_ratio", ("edit",), ("own_edit",))
    numbers.ratio("edit_to_answer_ratio_raw_twin", ("edit",), ("raw_edit",))
    numbers.told["edit_to_answer_p95_ms"] = 1e3 * float(np.quantile(numbers.seconds["edit"], 0.95))
    numbers.tell("M", ("edit", "raw_edit", "own_edit", "linopy_edit"))
    numbers.tell("M", ("linopy_rebuild", "pyoptinterface_rebuild", "pyomo_rebuild"))
    if effort.peers:  # edit by edit: they differ much
        pairs = zip(numbers.seconds["linopy_edit"], numbers.seconds["edit"], strict=False)
        numbers.told["vs_linopy_persistent"] = statistics.median(theirs / own_ for theirs, own_ in pairs)
    ours = numbers.median("edit")
    for name, of in (
        ("vs_linopy_rebuild", "linopy_rebuild"),
        ("vs_pyoptinterface_rebuild", "pyoptinterface_rebuild"),
        ("vs_pyomo_rebuild", "pyomo_rebuild"),
        ("vs_raw_rebuild", "raw_build_solve"),
    ):
        if of in numbers.seconds:
            numbers.told[name] = numbers.median(of) / ours


def opened(made: Case) -> tuple[Session, Live]:
    """A session, and HiGHS alone with the same matrix: both solved and ready for an edit."""
    session = Session(made)
    session.answer()
    session.prepare()
    own = Live(session.answer().matrix, Options())
    own.cold()
    own.prime()
    return session, own


def in_session(session: Session, own: Live, target: str, value: float, numbers: Numbers, name: str) -> float | None:
    """Edit a target in a session, and do in HiGHS alone what follows for its rows; the least cost, none without plan.

    What has no plan is taken back.
    """
    before = session.case

    def answered() -> Any:
        session.edit({"table": "targets", "key": {"target": target}, "set": {"value": value}})
        return session.answer()

    answer = numbers.time(name, answered)
    if not answer.found:
        numbers.seconds[name].pop()
        session.use(before)
        session.answer()
        return None
    told = float(answer.objective)
    own.change(answer.matrix)
    numbers.time(f"own_{name}", lambda: bare_run(own.highs))
    session.prepare()
    return told


def bare_run(highs: Any) -> None:
    """Solve and read."""
    highs.run()
    np.array(highs.getSolution().col_value)


def raw_edit(highs: Any, rows: Any, upper: Any) -> float:
    """Change bounds, solve, read."""
    for i, limit in zip(rows.tolist(), upper.tolist(), strict=True):
        highs.changeRowBounds(i, -raw.INF, limit)
    value = raw.solve(highs)
    np.array(highs.getSolution().col_value)
    return value


def linopy_open(p: Province, least: float) -> Callable[[Any], float]:
    """Build in linopy and solve; what answers an edit with the model kept."""
    model, solver = linopy_ready(p)
    model.assign_result(solver.solve())
    assert_same_value("linopy", float(model.objective.value), least)

    def update(limits: Any) -> float:
        rows = model.constraints["goals"]
        rows.update(rhs=rows.rhs.copy(data=limits))
        found = solver.solve(model, disallow_rebuild=True)
        if not found.status.is_ok:  # as the raw twin does
            solver.solver_model.clearSolver()
            found = solver.solve()
        model.assign_result(found)
        return float(model.objective.value)

    return update


def in_pyoptinterface(p: Province) -> float:
    """Build in pyoptinterface, solve, read.

    It is not kept for edits: its `set_normalized_rhs` makes an equality of a `<=` row (PyOptInterface issue 104).
    """
    model, _ = pyoptinterface_ready(p)
    model.optimize()
    return float(model.get_obj_value())


# Frontier, prices, certificate ---------------------------------------------------------------------------------------


def frontiers(made: Case, numbers: Numbers, points: int, quantity: str) -> None:
    """A frontier, warm from point to point, against cold solves of some of its points."""
    frame = numbers.time("frontier", lambda: frontier(made, quantity, points=points, reach=REACH)).points
    asked = made.edited([{"setting": "objective", "value": [f"quantity:{quantity}", "cost"]}])
    matrix = compile_problem(Problem(asked))
    total, cost = matrix.stages
    for point in np.linspace(1, points - 1, COLD_POINTS).astype(int):

        def cold(edge: float = float(frame["x"].iloc[point])) -> float:
            solver = Solver(compile_problem(Problem(asked)), Options())
            solver.hold(total.coefficients, -np.inf, edge - total.constant)
            solver.minimise(cost.coefficients, "cold")
            return float(cost.coefficients @ solver.values()) + cost.constant

        spent, value = cpu(cold)
        numbers.seconds.setdefault("frontier_cold", []).append(spent)
        assert_same_value(f"cold point {point}", value, float(frame["y"].iloc[point]))
    mean = statistics.mean(numbers.seconds["frontier_cold"])
    whole = numbers.median("frontier")
    numbers.told["frontier_points"] = float(len(frame))
    numbers.told["frontier_warm_ratio"] = mean * len(frame) / whole
    numbers.tell("M", ("frontier",))
    numbers.told["frontier_cold_point_seconds_M"] = mean


def extras(made: Case, numbers: Numbers, points: int, quantity: str = "co2", suffix: str = "") -> None:
    """A frontier; prices and certificate against a solve."""
    first = set(numbers.told)
    if points:
        frontiers(made, numbers, points, quantity)
    matrix = compile_problem(Problem(made))
    rows = priced_rows(matrix)
    bare = Options(prices=False, break_ties=False, certify=False)
    numbers.time("solve", lambda: solve_matrix(matrix, options=bare))
    numbers.time("solve_prices", lambda: solve_matrix(matrix, None, rows, Options(break_ties=False, certify=False)))
    plan = solve_case(made, Options(break_ties=False, certify=False))
    verdict = numbers.time("certificate", lambda: certify(made, plan))
    if verdict.verdict != "proven":
        raise AssertionError(f"certificate: {verdict.verdict}")
    solve = numbers.median("solve")
    numbers.told["prices_ratio"] = numbers.median("solve_prices") / solve - 1
    numbers.told["certificate_ratio"] = numbers.median("certificate") / solve
    numbers.tell("M", ("solve", "certificate"))
    for name in set(numbers.told) - first if suffix else ():
        numbers.told[name.removesuffix("_M") + suffix] = numbers.told.pop(name)


def jiangxi(effort: Effort) -> dict[str, float]:
    """Edits, frontier, prices and certificate of Jiangxi itself."""
    numbers, rng = Numbers(), random.Random(1)
    made = read_case("cases/jiangxi")
    session, own = opened(made)
    targets = [row for row in made.targets if row.value]
    for _ in range(effort.edits):
        row = rng.choice(targets)
        in_session(session, own, row.target, float(row.value or 0.0) * rng.uniform(0.97, 1.03), numbers, "edit")
    numbers.ratio("edit_to_answer_ratio_jiangxi", ("edit",), ("own_edit",))
    numbers.tell("jiangxi", ("edit", "own_edit"))
    extras(made, numbers, effort.points, "voc", "_jiangxi")
    return numbers.told


# Memory --------------------------------------------------------------------------------------------------------------

MEMORY = ("raw", "planner", "planner_with_case", "linopy", "pyoptinterface", "pyomo")


def memory(path: str, size: str) -> float:
    """Most memory that a build takes above what it starts from, in this process [MB].

    It starts from the arrays of the province (raw, linopy, pyoptinterface), or from the case as read (planner, pyomo);
    `planner_with_case` counts the case, too.
    """
    if path not in ("raw", "planner", "planner_with_case"):
        import benchmarks.peers  # noqa: F401
    compile_problem(Problem(case(province("S"))))  # what is loaded on first use is not counted
    p = province(size)
    started = None
    if path == "planner_with_case":
        started = standing()
    made = None if path in ("raw", "linopy", "pyoptinterface") else case(p)
    if path != "planner_with_case":
        started = standing()
    work: dict[str, Callable[[], Any]] = {
        "raw": lambda: raw.passed(raw.build(p)),
        "linopy": lambda: linopy_ready(p),
        "pyoptinterface": lambda: pyoptinterface_ready(p),
    }
    kept = work[path]() if made is None else pyomo_ready(made) if path == "pyomo" else planner_ready(made)
    assert kept is not None and started is not None
    return peak() - started


def standing() -> float:
    """Memory now [MB]; the peak is counted from here."""
    gc.collect()
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5", "ascii")
    return _status("VmRSS")


def peak() -> float:
    """Most memory since `standing` [MB]."""
    return _status("VmHWM")


def _status(name: str) -> float:
    lines = Path("/proc/self/status").read_text("ascii").splitlines()
    return float(next(line for line in lines if line.startswith(name)).split()[1]) / 1024


# The run -------------------------------------------------------------------------------------------------------------


def of_size(size: str, effort: Effort) -> dict[str, float]:
    """Everything that is measured at a size, in this process."""
    numbers = Numbers()
    p = province(size)
    made = case(p)
    builds(size, p, made, numbers, effort)
    if effort.solves:
        solves(size, p, made, numbers, effort)
    if size == "M":
        edits(p, made, numbers, effort)
        extras(made, numbers, effort.points)
    return numbers.told


def apart(*arguments: str) -> dict[str, float]:
    """Run a part in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.bench", *arguments]
    output = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parent.parent)
    found: dict[str, float] = json.loads(output.stdout.splitlines()[-1])
    return found


def table(numbers: dict[str, float]) -> str:
    """The demands, as measured."""
    lines = ["| what | demand | measured | spread | |", "|---|---|---|---|---|"]
    for name, (what, sense, demand) in DEMANDS.items():
        if name in numbers:
            value = numbers[name]
            kept = value <= demand if sense == "<=" else value >= demand
            spread = f"± {numbers[f'{name}_spread'] / 2:.2g}" if f"{name}_spread" in numbers else ""
            lines.append(f"| {what} | {sense} {demand:g} | {value:.3g} | {spread} | {'yes' if kept else 'NO'} |")
    return "\n".join(lines)


def main() -> None:
    """Run what the command asks for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bench", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="M only and without frontiers, under a minute")
    parser.add_argument("--sizes", default=",".join(SIZES), help="comma-separated")
    parser.add_argument("--no-peers", action="store_true", help="without linopy, pyoptinterface and Pyomo")
    parser.add_argument("--part", nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.part:
        what, size = given.part
        if size == "jiangxi":
            print(json.dumps(jiangxi(EFFORTS["M"])))
        elif what == "size":
            effort = QUICK if given.quick else EFFORTS[size]
            print(json.dumps(of_size(size, replace(effort, peers=0) if given.no_peers else effort)))
        else:
            print(json.dumps({f"memory_{what}_MB_{size}": memory(what, size)}))
        return
    began = time.perf_counter()
    numbers: dict[str, float] = {}
    options = [name for name in ("quick", "no_peers") if getattr(given, name)]
    options = [f"--{name.replace('_', '-')}" for name in options]
    for size in ["M"] if given.quick else given.sizes.split(","):
        print(f"{size}: {' x '.join(map(str, SIZES[size]))}", file=sys.stderr, flush=True)
        numbers |= apart("--part", "size", size, *options)
        paths = MEMORY[:3] if given.quick or given.no_peers else MEMORY[:5] if size in ("L", "XL") else MEMORY
        for path in paths:
            numbers |= apart("--part", path, size)
        least = numbers[f"memory_raw_MB_{size}"]
        numbers[f"memory_ratio_{size}"] = numbers[f"memory_planner_MB_{size}"] / least
        numbers[f"memory_with_case_ratio_{size}"] = numbers[f"memory_planner_with_case_MB_{size}"] / least
        keep(numbers)
    if not given.quick and "M" in given.sizes.split(","):
        numbers |= apart("--part", "case", "jiangxi")
    print(table(numbers))
    print(f"{time.perf_counter() - began:.0f} s")
    keep(numbers)


def keep(numbers: dict[str, float]) -> None:
    """Write what was measured so far; what was not keeps its last value."""
    before = json.loads(LATEST.read_text("ascii")) if LATEST.exists() else {}
    rounded = {name: float(f"{value:.5g}") for name, value in numbers.items()}
    LATEST.write_text(json.dumps(dict(sorted({**before, **rounded}.items())), indent=2) + "\n", "ascii")


if __name__ == "__main__":
    main()
