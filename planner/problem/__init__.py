"""Problem: the index sets and coefficients of a case, in the unit of each quantity and in plain currency.

The names are those the rules of `formulation.py` use. A set (`Keys`) is a list of keys, a map (`Links`) takes a key to
the keys it sums over, a coefficient (`Table`) takes a key to a number; inside they are arrays. Keys go what, where,
when: `(m, c, y)`, `(q, c, s, y)`. One layer stands on the next: stock, groups, changes, money, levels. Everything is
computed when it is first read, and for an edited case only what the edit touches.
"""

from collections.abc import Mapping

from planner.case import Case
from planner.problem.levels import Levels

MAPS: Mapping[str, int] = {
    **dict.fromkeys(("before", "entering", "leaving", "serving", "overlap_members", "causes", "losses", "payers"), 1),
    **dict.fromkeys(("shared_stock", "shared_starts", "dependent_stock", "dependent_starts"), 2),
    **dict.fromkeys(("provider_stock", "provider_starts", "pinned_stock", "pinned_starts"), 2),
    **dict.fromkeys(("allocated", "pool_starts", "level_spendings", "level_holdings"), 2),
    **dict.fromkeys(("goal_terms", "budget_terms", "misses"), 2),
    **dict.fromkeys(
        ("converted", "pool_members", "level_changes", "level_payments", "level_priced", "level_serving"), 3
    ),
}
"""Every map of a problem, and how many parts the keys it sums over have."""


class Problem(Levels):
    """Sets, maps and coefficients of a case: all layers together."""

    def edited(self, case: Case) -> "Problem":
        """The problem of an edited case; what the edit does not touch is taken over, the very same objects."""
        return Problem(case, self.best_effort, before=self)
