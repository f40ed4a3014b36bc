"""The model of a case as a file that other solvers read, with names a person can read."""

import tempfile
from pathlib import Path

from planner.case import Case
from planner.ordinary import instantiate
from planner.problem import Problem
from planner.saving import write_bytes

ENDINGS = (".lp", ".mps")


def write_model(case: Case, path: Path) -> tuple[str, int, int]:
    """Write the model with its first objective, all or nothing, as `.lp` or `.mps` by the ending of `path`.

    Returns the name of the objective and the numbers of rows and columns. The file has the case's own units and no
    scaling: what `engine` gives to its solver is the same model with rows and columns scaled by powers of two.
    """
    problem = Problem(case)
    model = instantiate(problem)
    for place, stage in model.stage.items():
        if place != next(iter(model.stage)):
            stage.deactivate()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / f"model{path.suffix.lower()}"
        model.write(str(file), io_options={"symbolic_solver_labels": True})
        write_bytes(path, file.read_bytes())
    return problem.stages[0].name, int(model.nconstraints()), int(model.nvariables())
