"""Every demand on speed as a ratio, measured in one run against the raw twin and other tools.

    make bench          all sizes, about a quarter of an hour on an idle machine
    make bench-quick    M only, under a minute

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
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from benchmarks import raw
from benchmarks.provinces import SIZES, Province, case, province
from planner.case import Case
from planner.certificate import certify
from planner.compile import compile_problem
from planner.engine import Options, Solver
from planner.engine import solve as solve_matrix
from planner.explore import frontier, least_total
from planner.live import Live
from planner.plan import priced_rows
from planner.plan import solve as solve_case
from planner.problem import Problem
from planner.session import Session

T = TypeVar("T")
LATEST = Path(__file__).parent / "latest.json"
ALIKE = 1e-6
"""Part of the least cost by which two tools may differ [-]."""
ROUNDS = {"S": 7, "M": 7, "L": 5, "XL": 2}
SOLVES = {"S": 5, "M": 3, "L": 1}
EDITS, SLOW_EDITS, POINTS, COLD_POINTS = 30, 6, 40, 3
QUICK_ROUNDS, QUICK_SOLVES, QUICK_EDITS, QUICK_SLOW_EDITS, QUICK_POINTS = 3, 2, 15, 3, 20
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
    "frontier_warm_ratio": ("frontier of 40 points: times faster than cold, M", ">=", 8.0),
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
        above, below = ([sum(t) for t in zip(*(self.seconds[n] for n in names))] for names in (over, under))
        if len(above) == len(below):
            rounds = [a / b for a, b in zip(above, below)]
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


def builds(size: str, p: Province, made: Case, numbers: Numbers, peers: bool) -> None:
    """Time every build in turn; the first round warms up and does not count."""
    twin = raw.build(p)
    for round_ in range(ROUNDS[size] + 1):
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
    if peers:
        for round_ in range(3 if size in "SM" else 1):
            if round_ == 1:
                for name in ("linopy_build", "pyoptinterface_build"):
                    numbers.seconds[name].clear()
            model, _ = numbers.time("linopy_build", lambda: linopy_ready(p))
            if round_ == 0:
                shape = model.ncons, model.nvars
                assert_same_size(size, twin, shape, model.solver_model.getNumNz() if model.solver_model else None, "linopy")
            del model
            other, _ = numbers.time("pyoptinterface_build", lambda: pyoptinterface_ready(p))
            if round_ == 0:
                assert_same_size(size, twin, (other.getnumrow(), other.getnumcol()), None, "pyoptinterface")
            del other
        if size != "XL":
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


def solves(size: str, p: Province, made: Case, numbers: Numbers, peers: bool) -> float:
    """Build and solve, cold, in turn; all optima are asserted to be equal. Returns the least cost."""
    for _ in range(SOLVES[size]):
        value = numbers.time("raw_build_solve", lambda: raw.solve(raw.passed(raw.build(p))))

        def ours() -> float:
            matrix = compile_problem(Problem(made))
            return solve_matrix(matrix, options=Options(prices=False, break_ties=False)).stages[-1].value

        assert_same_value("planner", numbers.time("build_solve", ours), value)
    numbers.ratio(f"build_solve_ratio_{size}", ("build_solve",), ("raw_build_solve",))
    numbers.tell(size, ("raw_build_solve", "build_solve"))
    if peers and size in "SM":
        assert_same_value("pyoptinterface", numbers.time("pyoptinterface_rebuild", lambda: in_pyoptinterface(p)), value)
        assert_same_value("linopy", numbers.time("linopy_rebuild", lambda: in_linopy(p)), value)
        assert_same_value("Pyomo", numbers.time("pyomo_rebuild", lambda: in_pyomo(made)), value)
    return value


def in_pyoptinterface(p: Province) -> float:
    """Build, solve and read."""
    model, _ = pyoptinterface_ready(p)
    model.optimize()
    return float(model.get_obj_value())


def in_linopy(p: Province) -> float:
    """Build, solve and read."""
    model, solver = linopy_ready(p)
    model.assign_result(solver.solve())
    return float(model.objective.value)


def in_pyomo(made: Case) -> float:
    """Build, solve and read."""
    from benchmarks import peers

    model = peers.in_pyomo(Problem(made))
    return float(peers.pyomo_solver().solve(model).best_feasible_objective)


# Edits ---------------------------------------------------------------------------------------------------------------


def edits(p: Province, made: Case, numbers: Numbers, peers: bool) -> None:
    """The same edits of targets in a session, in the raw twin, on the planner's own matrix, and in linopy."""
    rng = random.Random(1)
    session = Session(made)
    session.answer()
    session.prepare()
    twin = raw.build(p)
    highs = raw.passed(twin)
    raw.solve(highs)
    own = Live(session.answer().matrix, Options())
    own.cold()
    own.prime()
    limits = np.array([goal.limit for goal in p.goals])
    persistent = linopy_ready(p) if peers else None
    if persistent:
        persistent[0].assign_result(persistent[1].solve())
    other = pyoptinterface_ready(p) if peers else None
    if other:
        other[0].optimize()
    targets = [row for row in p.targets if row["kind"] in ("level", "abated")]
    now = {row["target"]: row["value"] for row in targets}
    for number in range(EDITS):
        row = rng.choice(targets)
        name = row["target"]
        value = float(row["value"] * rng.uniform(0.97, 1.03))
        mine = np.array([goal.target == name for goal in p.goals])
        limits = np.where(mine, limits - (value - now[name]), limits)
        now[name] = value
        edit = {"table": "targets", "key": {"target": name}, "set": {"value": value}}
        answer = numbers.time("edit", lambda of=edit: answered(session, of))
        told = float(answer.objective)
        if answer.way != "warm":
            numbers.told["edits_not_warm"] = numbers.told.get("edits_not_warm", 0.0) + 1
        changed = np.flatnonzero(mine)

        def bare(rows: Any = twin.goals[changed], upper: Any = limits[changed]) -> float:
            for i, limit in zip(rows.tolist(), upper.tolist(), strict=True):
                highs.changeRowBounds(i, -raw.INF, limit)
            value = raw.solve(highs)
            np.array(highs.getSolution().col_value)
            return value

        assert_same_value(f"planner, edit {number}", told, numbers.time("raw_edit", bare))
        own.change(answer.matrix)

        def same() -> None:
            own.highs.run()
            np.array(own.highs.getSolution().col_value)

        numbers.time("own_edit", same)
        if number < SLOW_EDITS and persistent and other:
            model, solver = persistent

            def updated(new: Any = limits.copy()) -> float:
                model.constraints["goals"].rhs = model.constraints["goals"].rhs.copy(data=new)
                found = solver.solve(model, disallow_rebuild=True)
                if not found.status.is_ok:  # as the raw twin does
                    solver.solver_model.clearSolver()
                    found = solver.solve()
                model.assign_result(found)
                return float(model.objective.value)

            assert_same_value("linopy", numbers.time("linopy_edit", updated), told)
            program, goals = other

            def nudged(which: Any = changed, upper: Any = limits[changed]) -> float:
                for g, limit in zip(which.tolist(), upper.tolist(), strict=True):
                    program.set_normalized_rhs(goals[g], limit)
                program.optimize()
                if program.get_model_attribute(poi.ModelAttribute.TerminationStatus) != poi.TerminationStatusCode.OPTIMAL:
                    program.set_primal_start([], [])
                    program.optimize()
                return float(program.get_obj_value())

            assert_same_value("pyoptinterface", numbers.time("pyoptinterface_edit", nudged), told)
        session.prepare()
    numbers.ratio("edit_to_answer_ratio", ("edit",), ("own_edit",))
    numbers.ratio("edit_to_answer_ratio_raw_twin", ("edit",), ("raw_edit",))
    numbers.told["edit_to_answer_p95_ms"] = 1e3 * float(np.quantile(numbers.seconds["edit"], 0.95))
    numbers.tell("M", ("edit", "raw_edit", "own_edit", "linopy_edit", "pyoptinterface_edit"))
    ours = numbers.median("edit")
    for name, of in (
        ("vs_linopy_persistent", "linopy_edit"),
        ("vs_pyoptinterface_persistent", "pyoptinterface_edit"),
        ("vs_linopy_rebuild", "linopy_rebuild"),
        ("vs_pyoptinterface_rebuild", "pyoptinterface_rebuild"),
        ("vs_pyomo_rebuild", "pyomo_rebuild"),
        ("vs_raw_rebuild", "raw_build_solve"),
    ):
        if of in numbers.seconds:
            numbers.told[name] = numbers.median(of) / ours


def answered(session: Session, edit: dict[str, Any]) -> Any:
    """Edit and read the answer."""
    session.edit(edit)
    answer = session.answer()
    if not answer.found:
        raise AssertionError(f"no plan after {edit}")
    return answer


# Frontier, prices, certificate ---------------------------------------------------------------------------------------


def extras(made: Case, numbers: Numbers, points: int) -> None:
    """A frontier against cold solves of some of its points; prices and certificate against a solve."""
    frame = numbers.time("frontier", lambda: frontier(made, "co2", points))
    asked = made.edited([{"setting": "objective", "value": ["quantity:co2", "cost"]}])
    matrix = compile_problem(Problem(asked))
    total, cost = (stage.coefficients for stage in matrix.stages)
    numbers.time("frontier_least", lambda: least_total(matrix, total, Options()))
    for point in np.linspace(1, points - 1, COLD_POINTS).astype(int):

        def cold(edge: float = float(frame["total"].iloc[point])) -> float:
            solver = Solver(compile_problem(Problem(asked)), Options())
            solver.hold(total, -np.inf, edge)
            solver.minimise(cost, "cold")
            return float(cost @ solver.values())

        spent, value = cpu(cold)
        numbers.seconds.setdefault("frontier_cold", []).append(spent)
        assert_same_value(f"cold point {point}", value, float(frame["cost"].iloc[point]))
    mean = statistics.mean(numbers.seconds["frontier_cold"])
    whole = numbers.median("frontier")
    numbers.told["frontier_points"] = float(len(frame))
    numbers.told["frontier_warm_ratio"] = mean * len(frame) / whole
    warm = whole - numbers.median("frontier_least")
    numbers.told["frontier_warm_ratio_without_reach"] = mean * len(frame) / warm
    numbers.tell("M", ("frontier", "frontier_least"))
    numbers.told["frontier_cold_point_seconds_M"] = mean

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


def of_size(size: str, peers: bool, points: int) -> dict[str, float]:
    """Everything that is measured at a size, in this process."""
    numbers = Numbers()
    p = province(size)
    made = case(p)
    builds(size, p, made, numbers, peers)
    if size in SOLVES:
        solves(size, p, made, numbers, peers)
    if size == "M":
        edits(p, made, numbers, peers)
        extras(made, numbers, points)
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
    parser.add_argument("--quick", action="store_true", help="M only, under a minute")
    parser.add_argument("--sizes", default=",".join(SIZES), help="comma-separated")
    parser.add_argument("--points", type=int, default=POINTS, help="points of the frontier")
    parser.add_argument("--no-peers", action="store_true", help="without linopy, pyoptinterface and Pyomo")
    parser.add_argument("--part", nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    peers = not given.no_peers
    if given.part:
        what, size = given.part
        if what == "size":
            print(json.dumps(of_size(size, peers, given.points)))
        else:
            print(json.dumps({f"memory_{what}_MB_{size}": memory(what, size)}))
        return
    began = time.perf_counter()
    numbers: dict[str, float] = {}
    options = [f"--points={given.points}", *(["--no-peers"] if given.no_peers else [])]
    for size in ["M"] if given.quick else given.sizes.split(","):
        print(f"{size}: {' x '.join(map(str, SIZES[size]))}", file=sys.stderr, flush=True)
        numbers |= apart("--part", "size", size, *options)
        paths = MEMORY[:3] if given.quick or not peers else MEMORY[:5] if size in ("L", "XL") else MEMORY
        for path in paths:
            numbers |= apart("--part", path, size)
        least = numbers[f"memory_raw_MB_{size}"]
        numbers[f"memory_ratio_{size}"] = numbers[f"memory_planner_MB_{size}"] / least
        numbers[f"memory_with_case_ratio_{size}"] = numbers[f"memory_planner_with_case_MB_{size}"] / least
    print(table(numbers))
    print(f"{time.perf_counter() - began:.0f} s")
    before = json.loads(LATEST.read_text("ascii")) if LATEST.exists() else {}
    rounded = {name: float(f"{value:.5g}") for name, value in numbers.items()}
    LATEST.write_text(json.dumps(dict(sorted({**before, **rounded}.items())), indent=2) + "\n", "ascii")


if __name__ == "__main__":
    main()
