"""The mathematics of a plan: variables, limits, groups, quantities, money, targets, in reading order.

Every rule stands below its formula and is ordinary Pyomo. A rule never branches: a distinction is an index set. Its
names (`b.stock`, `b.potential`, `b.causes`) are variables of this list, and sets, maps and coefficients of `Problem`.
The costs that a report tells come from the same rules, so it cannot disagree with the model.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Rule = Callable[..., Any]


@dataclass(frozen=True)
class Family:
    """Rows or columns of one kind: a name, the set it runs over, and the rule for each key."""

    name: str
    index: str
    rule: Rule
    defined_by: tuple[str, ...] = ()
    """For a free or auxiliary variable: the families whose row of the same key defines it."""
    domain: str = "real"

    @property
    def formula(self) -> str:
        """The first sentence and the formula of the rule."""
        return (self.rule.__doc__ or "").strip()


VARIABLES: list[Family] = []
ROWS: list[Family] = []
COSTS: list[Family] = []


def variable(index: str, defined_by: str | tuple[str, ...] = (), domain: str = "real") -> Callable[[Rule], Rule]:
    """Declare a variable over `index`; the rule gives its lower and upper bound."""

    def declare(rule: Rule) -> Rule:
        rows = (defined_by,) if isinstance(defined_by, str) else defined_by
        VARIABLES.append(Family(rule.__name__, index, rule, rows, domain))
        return rule

    return declare


def family(index: str) -> Callable[[Rule], Rule]:
    """Declare rows over `index`; the rule gives the relation that holds."""

    def declare(rule: Rule) -> Rule:
        ROWS.append(Family(rule.__name__, index, rule))
        return rule

    return declare


def cost(index: str) -> Callable[[Rule], Rule]:
    """Declare an item of the cost over `index`, whose last part is the year; the rule gives money of that year."""

    def declare(rule: Rule) -> Rule:
        COSTS.append(Family(rule.__name__, index, rule))
        return rule

    return declare


# Variables -----------------------------------------------------------------------------------------------------------


@variable("startable")
def starts(b: Any, m: Any, c: Any, v: Any) -> Any:
    r"""Units whose construction begins in a year; the ramp limits them [unit of m].

    $$ 0 \le n_{m,c,v} \le \text{ramp}_m\,U_{m,c,\text{last}} $$
    """
    return 0, b.start_limit[m, c, v]


@variable("lumpy", domain="integer")
def lumps(b: Any, m: Any, c: Any, v: Any) -> Any:
    r"""Whole lumps begun in a year, for a measure that comes in lumps [-]."""
    return 0, b.most_lumps[m, c, v]


@variable("holdings")
def stock(b: Any, m: Any, c: Any, y: Any) -> Any:
    r"""Units in service never exceed the potential of their city [unit of m].

    $$ 0 \le a_{m,c,y} \le U_{m,c,y} $$
    """
    return 0, b.potential[m, c, y]


@variable("overlaps")
def overlap(b: Any, g: Any, c: Any, y: Any) -> Any:
    r"""Part of the base on which both members of an overlap group stand [-]."""
    return 0, 1


@variable("pooled", defined_by="pool_adds_up")
def pool(b: Any, r: Any, s: Any, y: Any) -> Any:
    r"""What a pooled conversion carries from all cities into a sector [unit of the driven quantity]."""
    return None, None


@variable("changes", defined_by="change_adds_up")
def change(b: Any, q: Any, c: Any, s: Any, y: Any) -> Any:
    r"""Change of a quantity against its baseline, $X - B$ [unit of q]."""
    return None, None


@variable("spendings", defined_by="spending_adds_up")
def spending(b: Any, k: Any, c: Any, y: Any) -> Any:
    r"""Capital spending of a pool, a sector or a measure with a fund rule of its own [currency]."""
    return None, None


@variable("payments", defined_by="fund_within_its_share")
def paid(b: Any, f: Any, k: Any, c: Any, y: Any) -> Any:
    r"""What a fund pays of a pool's spending, $d \ge 0$ [currency]."""
    return 0, None


@variable("leveled", defined_by=("quantity_level", "spending_level", "fund_level", "cost_level"))
def level(b: Any, l: Any, y: Any) -> Any:
    r"""Level over a scope and sectors of a quantity, $X$ [its unit], or of spending, funds or cost [currency]."""
    return None, None


@variable("missable", defined_by="target_is_kept")
def miss(b: Any, t: Any, y: Any) -> Any:
    r"""What a target that may be missed is missed by [unit of its quantity]."""
    return 0, None


# Stock and limits ----------------------------------------------------------------------------------------------------


@family("holdings")
def stock_in_service(b: Any, m: Any, c: Any, y: Any) -> Any:
    r"""Stock is last year's, and what enters after its lead time, less what reaches the end of its life.

    $$ a_{m,c,y} = a_{m,c,y-1} + \Delta\text{existing}_{m,c,y} + n_{m,c,y-L} - n_{m,c,y-L-T} $$
    """
    return (
        b.stock[m, c, y]
        - sum(b.stock[m, c, p] for p in b.before[m, c, y])
        - sum(b.starts[m, c, v] for v in b.entering[m, c, y])
        + sum(b.starts[m, c, v] for v in b.leaving[m, c, y])
        == b.joining[m, c, y]
    )


@family("lumpy")
def starts_in_whole_lumps(b: Any, m: Any, c: Any, v: Any) -> Any:
    r"""A measure with a lump size starts in whole lumps.

    $$ n_{m,c,v} = \text{lump}_m \cdot k, \quad k \in \mathbb{N} $$
    """
    return b.starts[m, c, v] - b.lump[m] * b.lumps[m, c, v] == 0


# Groups --------------------------------------------------------------------------------------------------------------


@family("shared")
def shared_within_cap(b: Any, g: Any, w: Any, y: Any) -> Any:
    r"""Measures that compete for one base fit on it.

    $$ \sum_{m,c} w_{g,m}\,a_{m,c,y} \le \text{cap}_{g,y} $$
    """
    return (
        sum(b.weight[g, m, c, y] * b.stock[m, c, y] for m, c in b.shared_stock[g, w, y])
        + sum(b.weight[g, m, c, y] * b.starts[m, c, y] for m, c in b.shared_starts[g, w, y])
        <= b.cap[g, w, y]
    )


@family("required")
def dependents_within_providers(b: Any, g: Any, w: Any, y: Any) -> Any:
    r"""Dependents have what is free and what providers serve.

    $$ \sum_{\text{dependents}} w\,a \le \text{free}_{g,y} + \sum_{\text{providers}} \text{ratio}\,a $$
    """
    return (
        sum(b.weight[g, m, c, y] * b.stock[m, c, y] for m, c in b.dependent_stock[g, w, y])
        + sum(b.weight[g, m, c, y] * b.starts[m, c, y] for m, c in b.dependent_starts[g, w, y])
        - sum(b.ratio[g, m, c, y] * b.stock[m, c, y] for m, c in b.provider_stock[g, w, y])
        - sum(b.ratio[g, m, c, y] * b.starts[m, c, y] for m, c in b.provider_starts[g, w, y])
        <= b.free[g, w, y]
    )


@family("overlaps")
def overlap_at_least(b: Any, g: Any, c: Any, y: Any) -> Any:
    r"""Two members that fill their potential beyond the base must overlap.

    $$ x_1 + x_2 - 1 \le o, \quad x = a / U $$
    """
    return (
        sum(b.part_of_potential[m, c, y] * b.stock[m, c, y] for m in b.overlap_members[g, c, y]) - b.overlap[g, c, y]
        <= 1
    )


@family("overlapping")
def overlap_within_member(b: Any, g: Any, m: Any, c: Any, y: Any) -> Any:
    r"""They overlap where both stand, no further: otherwise a plan could invent losses.

    $$ o \le x_1, \quad o \le x_2 $$
    """
    return b.overlap[g, c, y] - b.part_of_potential[m, c, y] * b.stock[m, c, y] <= 0


# Quantities ----------------------------------------------------------------------------------------------------------


@family("pooled")
def pool_adds_up(b: Any, r: Any, s: Any, y: Any) -> Any:
    r"""A pooled conversion sums the change that drives it over all cities.

    $$ P_{r,s,y} = \text{factor}_{r,y} \sum_{c,s'} \Delta X_{q',c,s',y} $$
    """
    return b.pool[r, s, y] - sum(b.conversion[r, y] * b.change[q, c, e, y] for q, c, e in b.pool_members[r, s, y]) == 0


@family("changes")
def change_adds_up(b: Any, q: Any, c: Any, s: Any, y: Any) -> Any:
    r"""A quantity changes by the effects of the stock, the losses of overlaps, and what conversions carry.

    $$ \Delta X_{q,c,s,y} = \sum_m e_{m,q,c,y}\,a_{m,c,y} + \sum_g \text{loss}_{g,y}\,o_{g,c,y}
       + \sum_r \text{factor}_{r,y}\,\Delta X_{q',c,s',y} + \sum_r \text{share}_{r,c}\,P_{r,s,y} $$
    """
    return (
        b.change[q, c, s, y]
        - sum(b.effect[m, q, c, y] * b.stock[m, c, y] for m in b.causes[q, c, s, y])
        - sum(b.overlap_loss[g, y] * b.overlap[g, c, y] for g in b.losses[q, c, s, y])
        - sum(b.conversion[r, y] * b.change[d, c, e, y] for r, d, e in b.converted[q, c, s, y])
        - sum(b.allocation[r, c] * b.pool[r, e, y] for r, e in b.allocated[q, c, s, y])
        == 0
    )


@family("quantity_levels")
def quantity_level(b: Any, l: Any, y: Any) -> Any:
    r"""A level is its baseline and all changes in its scope and sectors.

    $$ X_{\ell,y} = B_{\ell,y} + \sum_{c,s} \Delta X_{q,c,s,y} $$
    """
    return b.level[l, y] - sum(b.change[q, c, s, y] for q, c, s in b.level_changes[l, y]) == b.level_base[l, y]


@family("floors")
def level_above_floor(b: Any, l: Any, y: Any) -> Any:
    r"""A quantity does not fall below its floor, such as must-run power.

    $$ X_{q,y} \ge \text{floor}_q $$
    """
    return -b.level[l, y] <= -b.floor[l, y]


# Money ---------------------------------------------------------------------------------------------------------------


@family("spendings")
def spending_adds_up(b: Any, k: Any, c: Any, y: Any) -> Any:
    r"""Capital cost is paid in equal parts over the years of construction; history keeps its bookings.

    $$ \text{capex}_{k,c,y} = \text{booked}_{k,c,y} + \sum_{m \in k} \sum_{v \le y < v + \max(1, L)}
       \frac{\kappa_{m,v}}{\max(1, L)}\,n_{m,c,v} $$
    """
    return (
        b.spending[k, c, y] - sum(b.installment[m, v] * b.starts[m, c, v] for m, v in b.pool_starts[k, c, y])
        == b.pool_booked[k, c, y]
    )


@family("financed")
def spending_is_paid(b: Any, k: Any, c: Any, y: Any) -> Any:
    r"""The funds together pay what is spent.

    $$ \sum_f d_{f,k,c,y} = \text{capex}_{k,c,y} $$
    """
    return sum(b.paid[f, k, c, y] for f in b.payers[k, c, y]) - b.spending[k, c, y] == 0


@family("payments")
def fund_within_its_share(b: Any, f: Any, k: Any, c: Any, y: Any) -> Any:
    r"""A fund pays at most its share.

    $$ d_{f,k,c,y} \le \text{share}_{f,k}\,\text{capex}_{k,c,y} $$
    """
    return b.paid[f, k, c, y] - b.max_share[f, k] * b.spending[k, c, y] <= 0


@family("spending_levels")
def spending_level(b: Any, l: Any, y: Any) -> Any:
    r"""Capital spending over a scope: all its pools, and what existing stock books on a fund of its own."""
    return b.level[l, y] - sum(b.spending[k, c, y] for k, c in b.level_spendings[l, y]) == b.level_base[l, y]


@family("fund_levels")
def fund_level(b: Any, l: Any, y: Any) -> Any:
    r"""What funds pay over a scope: for all pools, and what existing stock books on them."""
    return b.level[l, y] - sum(b.paid[f, k, c, y] for f, k, c in b.level_payments[l, y]) == b.level_base[l, y]


@family("cost_levels")
def cost_level(b: Any, l: Any, y: Any) -> Any:
    r"""Cost of a year over a scope: annuities, running costs, and priced changes; penalties are left out."""
    return (
        b.level[l, y]
        - sum(b.payment[m, v] * b.starts[m, c, v] for m, c, v in b.level_serving[l, y])
        - sum(fixed_om(b, m, c, y) for m, c in b.level_holdings[l, y])
        - sum(price(b, q, c, s, y) for q, c, s in b.level_priced[l, y])
        == 0
    )


@cost("holdings")
def annuity(b: Any, m: Any, c: Any, y: Any) -> Any:
    r"""Capital cost of the units in service, at their start year's price, as an annuity [currency].

    $$ \sum_{v + L \le y < v + L + T} \kappa_{m,v}\,\text{CRF}(i, T_m)\,n_{m,c,v} $$
    """
    return sum(b.payment[m, v] * b.starts[m, c, v] for v in b.serving[m, c, y])


@cost("holdings")
def fixed_om(b: Any, m: Any, c: Any, y: Any) -> Any:
    r"""Running cost of the stock, existing stock included [currency].

    $$ \text{om}_{m,y}\,a_{m,c,y} $$
    """
    return b.fixed_om[m, y] * b.stock[m, c, y]


@cost("priced")
def price(b: Any, q: Any, c: Any, s: Any, y: Any) -> Any:
    r"""Prices value the change against the baseline [currency].

    $$ p_{q,y}\,(X - B)_{q,c,s,y} $$
    """
    return b.price[q, y] * b.change[q, c, s, y]


@cost("soft")
def penalty(b: Any, t: Any, y: Any) -> Any:
    r"""A soft target may be missed at a price per unit and year [currency]."""
    return b.penalty[t] * b.miss[t, y]


# Targets, budgets, pins ----------------------------------------------------------------------------------------------


@family("goals")
def target_is_kept(b: Any, t: Any, y: Any) -> Any:
    r"""Every target is a weighted sum of levels within its bound; `targets.py` says which. A soft one may be missed.

    $$ \sum_\ell w_{t,\ell}\,X_\ell \le \text{bound}_t + \text{miss}_t $$
    """
    return (
        sum(b.goal_weight[t, y, l, e] * b.level[l, e] for l, e in b.goal_terms[t, y])
        - sum(b.miss[u, e] for u, e in b.misses[t, y])
        <= b.goal_bound[t, y]
    )


@family("budget_rows")
def budget_is_kept(b: Any, u: Any, y: Any) -> Any:
    r"""Spending stays within the budget; with carry-over the years up to y count together, per span all of them.

    $$ \sum \text{spent} \le \text{limit}_{u,y} $$
    """
    return sum(b.level[l, e] for l, e in b.budget_terms[u, y]) <= b.budget_limit[u, y]


@family("pins_least")
def pin_at_least(b: Any, p: Any, y: Any) -> Any:
    r"""A pin asks for a least amount of starts or stock.

    $$ \sum_c n_{m,c,y} \ge \min $$
    """
    return (
        -sum(b.stock[m, c, y] for m, c in b.pinned_stock[p, y])
        - sum(b.starts[m, c, y] for m, c in b.pinned_starts[p, y])
        <= -b.pin_least[p, y]
    )


@family("pins_most")
def pin_at_most(b: Any, p: Any, y: Any) -> Any:
    r"""A pin allows a largest amount of starts or stock.

    $$ \sum_c n_{m,c,y} \le \max $$
    """
    return (
        sum(b.stock[m, c, y] for m, c in b.pinned_stock[p, y])
        + sum(b.starts[m, c, y] for m, c in b.pinned_starts[p, y])
        <= b.pin_most[p, y]
    )


# Objective -----------------------------------------------------------------------------------------------------------


def net_present_value(b: Any) -> Any:
    r"""All costs, discounted to the base year [currency].

    $$ \sum_y \delta_y \left( \text{annuity}_y + \text{om}_y + \text{price}_y + \text{penalty}_y \right) $$
    """
    return sum(b.discount[key[-1]] * item.rule(b, *key) for item in COSTS for key in getattr(b, item.index))


def total(b: Any, terms: Any) -> Any:
    r"""Sum over the years of one level: a quantity, capital spending, or a fund; not discounted.

    $$ \sum_y X_{\ell,y} $$
    """
    return sum(b.level[l, y] for l, y in terms)


def shortfall(b: Any, terms: Any) -> Any:
    r"""Sum of what targets are missed by, each as a part of its own size [-].

    $$ \sum_{t,y} \text{miss}_{t,y} / \text{size}_{t,y} $$
    """
    return sum(b.miss_weight[t, y] * b.miss[t, y] for t, y in terms)
