"""Least-cost, sequenced portfolios of measures that cut carbon and pollution together.

    >>> from planner import read_case, solve
    >>> plan = solve(read_case("cases/tutorial"))
    >>> plan.status, round(plan.objective / 1e6, 6)
    ('optimal', -236.58292)

Names are imported from their modules when first used, so that `import planner` costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from planner.breakeven import break_even as break_even
    from planner.budgets import clawback as clawback
    from planner.budgets import earmark as earmark
    from planner.budgets import ladder as ladder
    from planner.budgets import most as most
    from planner.budgets import rules as rules
    from planner.budgets import worth as worth
    from planner.case import Case as Case
    from planner.engine import Options as Options
    from planner.errors import CancelledError as CancelledError
    from planner.errors import CaseError as CaseError
    from planner.errors import InfeasibleError as InfeasibleError
    from planner.errors import PlannerError as PlannerError
    from planner.errors import SolverError as SolverError
    from planner.exchange import iamc as iamc
    from planner.explanation import explain as explain
    from planner.explore import Frontier as Frontier
    from planner.explore import frontier as frontier
    from planner.explore import grid as grid
    from planner.fairness import capped_burden as capped_burden
    from planner.fairness import equal_cuts as equal_cuts
    from planner.fairness import synergy as synergy
    from planner.flows import payers as payers
    from planner.foresight import regret as regret
    from planner.futures import robustness as robustness
    from planner.goalcosts import goals as goals
    from planner.nearly import alternatives as alternatives
    from planner.ordinary import instantiate as instantiate
    from planner.plan import Plan as Plan
    from planner.plan import solve as solve
    from planner.progress import as_planned as as_planned
    from planner.progress import replanned as replanned
    from planner.report import write_report as write_report
    from planner.robust import robust_plans as robust_plans
    from planner.scenario import read_scenario as read_scenario
    from planner.session import Session as Session
    from planner.tables import read_case as read_case
    from planner.unique import ranges as ranges
    from planner.workbook import export_workbook as export_workbook
    from planner.worklist import breakdown as breakdown
    from planner.worklist import tasks as tasks

HOMES = {
    "as_planned": "progress",
    "breakdown": "worklist",
    "export_workbook": "workbook",
    "iamc": "exchange",
    "replanned": "progress",
    "tasks": "worklist",
    "write_report": "report",
    "CancelledError": "errors",
    "Case": "case",
    "CaseError": "errors",
    "Frontier": "explore",
    "InfeasibleError": "errors",
    "Options": "engine",
    "Plan": "plan",
    "PlannerError": "errors",
    "Session": "session",
    "SolverError": "errors",
    "alternatives": "nearly",
    "break_even": "breakeven",
    "capped_burden": "fairness",
    "clawback": "budgets",
    "earmark": "budgets",
    "equal_cuts": "fairness",
    "explain": "explanation",
    "frontier": "explore",
    "goals": "goalcosts",
    "robust_plans": "robust",
    "robustness": "futures",
    "grid": "explore",
    "instantiate": "ordinary",
    "ladder": "budgets",
    "most": "budgets",
    "payers": "flows",
    "ranges": "unique",
    "read_case": "tables",
    "read_scenario": "scenario",
    "regret": "foresight",
    "rules": "budgets",
    "solve": "plan",
    "synergy": "fairness",
    "worth": "budgets",
}
"""Module of every name of the public interface."""


def __getattr__(name: str) -> Any:
    if name not in HOMES:
        raise AttributeError(f"module 'planner' has no attribute {name!r}")
    return getattr(import_module(f"planner.{HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *HOMES])
