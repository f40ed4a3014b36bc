"""Solutions and bases kept from run to run, by the digest of the very numbers they were found for.

A kept solution is reported and proven like a new one; a kept basis is only where the simplex starts.
"""

import json
from dataclasses import asdict
from importlib.metadata import version
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from planner import cache
from planner.matrix import Matrix, Names
from planner.solution import Slopes, Solution, StageValue

Signs = NDArray[np.int8]
SOURCES = ("engine.py", "scaling.py", "prices.py", "kept.py")
"""What a solution is found, priced and kept by: one of an earlier state of these counts for nothing."""


def digest(matrix: Matrix, *others: Any) -> str:
    """Fingerprint of a problem for the solver; `others` are further arrays or settings that the outcome depends on."""
    sources = [Path(__file__).with_name(name).read_bytes() for name in SOURCES]
    arrays: list[NDArray[Any]] = [matrix.A.data, matrix.A.indices, matrix.A.indptr, matrix.row_lower, matrix.row_upper]
    arrays += [matrix.lower, matrix.upper, matrix.integer, *(stage.coefficients for stage in matrix.stages)]
    words = [f"{stage.name} {stage.constant!r}" for stage in matrix.stages]
    words += [repr(matrix.tolerance), version("highspy")]
    words += [repr(other) for other in others if not isinstance(other, np.ndarray)]
    arrays += [other for other in others if isinstance(other, np.ndarray)]
    return cache.digest(*sources, *words, *(np.ascontiguousarray(array).tobytes() for array in arrays))


def solution(key: str) -> Solution | None:
    """The solution that was kept under a digest."""
    found = _arrays("solutions", key)
    if found is None:
        return None
    words = json.loads(found["words"].tobytes())
    stage_duals = {name: (found[f"duals {name}"], held) for name, held in words["stage_held"].items()}
    return Solution(
        status=words["status"],
        proof=words["proof"],
        values=found["values"],
        duals=found["duals"],
        reduced_costs=found["reduced_costs"],
        held_duals=words["held_duals"],
        stage_duals=stage_duals,
        slopes={int(row): Slopes(*slopes) for row, slopes in words["slopes"]},
        stages=tuple(StageValue(**stage) for stage in words["stages"]),
        gap=words["gap"],
        tie_broken=words["tie_broken"],
        timings={},
    )


def keep(key: str, found: Solution) -> None:
    """Keep a solution that was proven the best by the solver; any other is not kept."""
    if found.status != "optimal":
        return
    words = {
        "status": found.status,
        "proof": found.proof,
        "held_duals": found.held_duals,
        "stage_held": {name: held for name, (_, held) in found.stage_duals.items()},
        "slopes": [[row, list(asdict(slopes).values())] for row, slopes in found.slopes.items()],
        "stages": [asdict(stage) for stage in found.stages],
        "gap": found.gap,
        "tie_broken": found.tie_broken,
    }
    arrays: dict[str, NDArray[Any]] = {"values": found.values, "duals": found.duals}
    arrays["reduced_costs"] = found.reduced_costs
    arrays |= {f"duals {name}": duals for name, (duals, _) in found.stage_duals.items()}
    arrays["words"] = np.frombuffer(json.dumps(words).encode(), dtype=np.uint8)
    _keep("solutions", key, arrays)


def shape(matrix: Matrix) -> str:
    """Fingerprint of which families a problem has and how large each is: a basis of one fits all alike."""
    families = [
        f"{name} {len(keys)}"
        for names in (matrix.rows, matrix.columns)
        if isinstance(names, Names)
        for name, keys in names.families.items()
    ]
    return cache.digest(version("highspy"), *families)


def basis(key: str) -> tuple[Signs, Signs] | None:
    """State of every column and row, as HiGHS numbers them, at the optimum that was kept under a digest."""
    found = _arrays("bases", key)
    return None if found is None else (found["columns"], found["rows"])


def keep_basis(key: str, columns: Signs, rows: Signs) -> None:
    """Keep the state of every column and row at an optimum."""
    _keep("bases", key, {"columns": columns, "rows": rows})


def _keep(kind: str, key: str, arrays: dict[str, NDArray[Any]]) -> None:
    stream = BytesIO()
    np.savez_compressed(stream, **arrays)  # type: ignore[arg-type]
    cache.put(kind, key, stream.getvalue())


def _arrays(kind: str, key: str) -> dict[str, NDArray[Any]] | None:
    data = cache.get(kind, key)
    if data is None:
        return None
    with np.load(BytesIO(data), allow_pickle=False) as found:
        return dict(found)
