"""Build and solve time of a case against feeding the same matrix straight to HiGHS; peak memory.

    python benchmarks/build_and_solve.py cases/jiangxi [rounds]

Every round runs in a process of its own, ours and the raw twin in turn; medians are printed. The raw twin has the
finished matrix as arrays: passing it to HiGHS is the floor of any build, solving it unscaled the floor of any solve.
"""

import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from scipy.sparse import csr_array, load_npz, save_npz


def peak_megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def ours(case: str, store: str) -> None:
    from planner.compile import compile_problem
    from planner.engine import Options, Solver
    from planner.problem import Problem
    from planner.tables import read_case

    imported = peak_megabytes()
    began = time.perf_counter()
    read = read_case(case)
    loaded = time.perf_counter()
    problem = Problem(read)
    indexed = time.perf_counter()
    matrix = compile_problem(problem)
    compiled = time.perf_counter()
    compile_problem(problem)
    again = time.perf_counter()
    solver = Solver(matrix, Options())
    passed = time.perf_counter()
    solver.minimise(matrix.stages[-1].coefficients, "cost")
    solved = time.perf_counter()
    value = float(matrix.stages[-1].coefficients @ solver.values())
    memory = peak_megabytes()
    save_npz(f"{store}.npz", matrix.A)
    arrays = {name: getattr(matrix, name) for name in ("row_lower", "row_upper", "lower", "upper")}
    np.savez(f"{store}-bounds.npz", cost=matrix.stages[-1].coefficients, **arrays)
    rows, columns = matrix.A.shape
    times = (loaded - began, indexed - loaded, compiled - indexed, again - compiled, passed - again, solved - passed)
    print(*times, rows, columns, matrix.A.nnz, value, imported, memory)


def raw(_: str, store: str) -> None:
    import highspy

    form = csr_array(load_npz(f"{store}.npz"))
    bounds = dict(np.load(f"{store}-bounds.npz"))
    imported = peak_megabytes()
    began = time.perf_counter()
    highs = highspy.Highs()
    highs.setOptionValue("output_flag", False)
    highs.setOptionValue("threads", 1)
    rows, columns = form.shape
    highs.passModel(
        columns,
        rows,
        form.nnz,
        int(highspy.MatrixFormat.kRowwise),
        1,
        0.0,
        bounds["cost"],
        bounds["lower"],
        bounds["upper"],
        bounds["row_lower"],
        bounds["row_upper"],
        form.indptr.astype(np.int32),
        form.indices.astype(np.int32),
        form.data,
        np.zeros(columns, dtype=np.int32),
    )
    passed = time.perf_counter()
    highs.run()
    solved = time.perf_counter()
    print(passed - began, solved - passed, highs.getInfo().objective_function_value, imported, peak_megabytes())


def measured(kind: str, case: str, store: str) -> list[float]:
    command = [sys.executable, __file__, kind, case, store]
    return [float(word) for word in subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()]


def main(case: str, rounds: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        store = str(Path(folder) / "matrix")
        mine, floor = [], []
        for _ in range(rounds):
            mine.append(measured("ours", case, store))
            floor.append(measured("raw", case, store))
    ours_, raw_ = ([statistics.median(column) for column in zip(*runs, strict=True)] for runs in (mine, floor))
    read, index, compiled, again, passed, solve, rows, columns, nonzeros, value, imported, memory = ours_
    raw_pass, raw_solve, raw_value, raw_imported, raw_memory = raw_
    build = index + compiled + passed
    print(f"{case}: {rows:.0f} rows, {columns:.0f} columns, {nonzeros:.0f} nonzeros, medians of {rounds} rounds")
    print(f"read and check the tables   {read:8.3f} s")
    print(f"index sets, coefficients    {index:8.3f} s")
    print(
        f"compile, first in a process {compiled:8.3f} s; again {again:.3f} s ({again / raw_pass:.1f} x the raw build)"
    )
    print(f"scale and pass to HiGHS     {passed:8.3f} s")
    print(f"build in all                {build:8.3f} s = {build / raw_pass:6.1f} x raw ({raw_pass:.3f} s)")
    print(f"solve to the optimum        {solve:8.3f} s = {solve / raw_solve:6.2f} x raw ({raw_solve:.3f} s)")
    both = (build + solve) / (raw_pass + raw_solve)
    print(f"build and solve             {build + solve:8.3f} s = {both:6.2f} x raw ({raw_pass + raw_solve:.3f} s)")
    above, raw_above = memory - imported, raw_memory - raw_imported
    ratio = above / max(raw_above, 1)
    print(f"peak memory {memory:.0f} MB, {above:.0f} above imports = {ratio:.1f} x raw ({raw_above:.0f} MB)")
    print(f"objective {value:.9g}, raw {raw_value:.9g}")


if __name__ == "__main__":
    if len(sys.argv) > 3 and sys.argv[1] in ("ours", "raw"):
        {"ours": ours, "raw": raw}[sys.argv[1]](sys.argv[2], sys.argv[3])
    else:
        main(sys.argv[1] if len(sys.argv) > 1 else "cases/jiangxi", int(sys.argv[2]) if len(sys.argv) > 2 else 5)
