"""Building and solving a case against feeding the same linear program straight to HiGHS: times, memory, ratios.

    python benchmarks/build_and_solve.py [case folder] [rounds]

The raw twin has every entry of the matrix as three plain arrays (row, column, value) and all bounds and costs: putting
them in rows and passing them is the floor of any build, solving them unscaled the floor of any solve. Builds are
measured side by side in one warm process, solves and memory in a process of its own for each round; medians are told.
All times are those of the processor: what else the machine does counts little.
"""

import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from scipy.sparse import coo_array

TURNS = 15
"""Builds that are measured in one process."""
Arrays = dict[str, Any]


def peak_megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def entries(matrix: Any) -> Arrays:
    coo = matrix.A.tocoo()
    found = {name: getattr(matrix, name) for name in ("row_lower", "row_upper", "lower", "upper")}
    cost = matrix.stages[-1].coefficients
    return {**found, "row": coo.row, "column": coo.col, "value": coo.data, "shape": matrix.A.shape, "cost": cost}


def raw_build(given: Arrays) -> Any:
    import highspy

    rows, columns = (int(size) for size in given["shape"])
    form = coo_array((given["value"], (given["row"], given["column"])), shape=(rows, columns)).tocsr()
    highs = highspy.Highs()
    highs.setOptionValue("output_flag", False)
    highs.setOptionValue("threads", 1)
    highs.passModel(
        columns,
        rows,
        form.nnz,
        int(highspy.MatrixFormat.kRowwise),
        1,
        0.0,
        given["cost"],
        given["lower"],
        given["upper"],
        given["row_lower"],
        given["row_upper"],
        form.indptr.astype(np.int32),
        form.indices.astype(np.int32),
        form.data,
        np.zeros(columns, dtype=np.int32),
    )
    return highs


def builds(case: str, _: str) -> None:
    from planner.compile import compile_problem
    from planner.engine import Options, Solver
    from planner.problem import Problem
    from planner.scaling import scaling
    from planner.tables import read_case

    times: dict[str, list[float]] = {}

    def timed(name: str, work: Callable[[], Any]) -> Any:
        begun = time.process_time()
        done = work()
        times.setdefault(name, []).append(time.process_time() - begun)
        return done

    read = timed("read and check the tables", lambda: read_case(case))
    problem = Problem(read)
    matrix = timed("compile, first in a process", lambda: compile_problem(problem))
    names, given = problem.computed(), entries(matrix)
    for _turn in range(TURNS):
        problem = Problem(read)
        timed("index sets, coefficients", lambda made=problem: [getattr(made, name) for name in names])
        matrix = timed("compile", lambda made=problem: compile_problem(made))
        timed("scale", lambda made=matrix: scaling(made))
        timed("scale and pass to HiGHS", lambda made=matrix: Solver(made, Options()))
        timed("raw build", lambda: raw_build(given))
    for name, found in times.items():
        print(f"{name:30} {1000 * statistics.median(found):8.1f} ms")
    print()
    index, compiled, scaled, passed, raw = (np.array(times[name]) for name in list(times)[2:])
    alone = passed - scaled
    for name, work in (
        ("compile", compiled),
        ("compile and pass", compiled + alone),
        ("compile, scale and pass", compiled + passed),
        ("index sets, compile and pass", index + compiled + alone),
        ("everything from the read case", index + compiled + passed),
    ):
        print(f"{name:30} {statistics.median(work / raw):8.1f} x the raw build")


def ours(case: str, store: str) -> None:
    from planner.compile import compile_problem
    from planner.engine import Options, Solver
    from planner.expand import known_templates
    from planner.problem import Problem
    from planner.tables import read_case

    known_templates()
    read = read_case(case)
    imported = peak_megabytes()
    begun = time.process_time()
    matrix = compile_problem(Problem(read))
    solver = Solver(matrix, Options())
    built = time.process_time()
    memory = peak_megabytes()
    solver.minimise(matrix.stages[-1].coefficients, "cost")
    solved = time.process_time()
    value = float(matrix.stages[-1].coefficients @ solver.values())
    rows, columns = matrix.A.shape
    print(
        built - begun,
        solved - built,
        value,
        memory - imported,
        peak_megabytes() - imported,
        rows,
        columns,
        matrix.A.nnz,
    )
    np.savez(store, **entries(matrix))


def raw(_: str, store: str) -> None:
    import highspy  # noqa: F401  its memory is not that of the model

    given = dict(np.load(f"{store}.npz"))
    imported = peak_megabytes()
    begun = time.process_time()
    highs = raw_build(given)
    built = time.process_time()
    memory = peak_megabytes()
    highs.run()
    solved = time.process_time()
    value = highs.getInfo().objective_function_value
    print(built - begun, solved - built, value, memory - imported, peak_megabytes() - imported)


def measured(kind: str, case: str, store: str) -> list[float]:
    command = [sys.executable, __file__, kind, case, store]
    return [float(word) for word in subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()]


def main(case: str, rounds: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        store = str(Path(folder) / "matrix")
        pairs = [(measured("ours", case, store), measured("raw", case, store)) for _ in range(rounds)]
    mine, floor = (np.median(runs, axis=0) for runs in zip(*pairs, strict=True))
    both = statistics.median((a[0] + a[1]) / (b[0] + b[1]) for a, b in pairs)
    print(f"{case}: {mine[5]:.0f} rows, {mine[6]:.0f} columns, {mine[7]:.0f} nonzeros\n")
    subprocess.run([sys.executable, __file__, "builds", case, ""], check=True)
    print(f"\nmedians of {rounds} rounds, each in a process of its own:")
    print(f"solve to the optimum           {mine[1]:8.2f} s = {mine[1] / floor[1]:.2f} x raw ({floor[1]:.2f} s)")
    print(f"build and solve                {mine[0] + mine[1]:8.2f} s = {both:.2f} x raw ({floor[0] + floor[1]:.2f} s)")
    for name, k in (("build", 3), ("build and solve", 4)):
        print(
            f"peak memory of {name:15} {mine[k]:8.0f} MB = {mine[k] / max(floor[k], 1):.2f} x raw ({floor[k]:.0f} MB)"
        )
    print(f"objective {mine[2]:.9g}, raw {floor[2]:.9g}")


if __name__ == "__main__":
    if len(sys.argv) > 3:
        {"ours": ours, "raw": raw, "builds": builds}[sys.argv[1]](sys.argv[2], sys.argv[3])
    else:
        main(sys.argv[1] if len(sys.argv) > 1 else "cases/jiangxi", int(sys.argv[2]) if len(sys.argv) > 2 else 5)
