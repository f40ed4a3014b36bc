"""Groups: measures that share a base, need each other, or overlap."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from planner.problem.keys import Array, Axis, Codes, Keys, Links, Mask, Table
from planner.problem.stock import Path, Stock, columns, dates, numbers
from planner.problem.tracked import derived
from planner.rows import PROVINCE, Group
from planner.timing import paths


@dataclass(frozen=True)
class Ties:
    """Rows of groups that share or require, and the measures in them.

    A row holds at a place; a member is a measure in one city, in one row. Both are stored column by column.
    """

    group: Codes
    """Group of each row."""
    place: Codes
    """Place of each row."""
    row: Codes
    """Row of each member."""
    m: Codes
    c: Codes
    role: Codes
    """The path of weights or ratios that each member has."""

    def only(self, which: Mask) -> "Ties":
        """The same rows with some of the members."""
        return Ties(self.group, self.place, self.row[which], self.m[which], self.c[which], self.role[which])

    def same(self, other: object) -> bool:
        """Whether both are the same."""
        return isinstance(other, Ties) and all(
            np.array_equal(part, vars(other)[name]) for name, part in vars(self).items()
        )


class Groups(Stock):
    """Sets and coefficients of groups, on top of the stock."""

    @derived
    def groups(self) -> dict[str, list[Group]]:
        """Rows of each group."""
        groups: dict[str, list[Group]] = defaultdict(list)
        for row in self.given.groups:
            groups[row.group].append(row)
        return dict(groups)

    @derived
    def g(self) -> Axis:
        """Groups."""
        return Axis(self.groups)

    @derived
    def w(self) -> Axis:
        """Places that a group may hold in: the province, or a city."""
        return Axis([PROVINCE, *self.cities])

    @derived
    def roles(self) -> dict[tuple[str, str, str | None], int]:
        """Measures of a group and what they are in it, numbered."""
        named = dict.fromkeys(zip(*columns(self.given.groups, "group", "measure", "role"), strict=True))
        return {key: i for i, key in enumerate(named)}

    def _cities_of(self, rows: Sequence[Group]) -> list[str]:
        """Where a group holds."""
        return [rows[0].city] if rows[0].city else self.cities

    def _group_paths(self, column: str, default: float, years: Sequence[int] | None = None) -> Array:
        """Path of a column of each group over the plan or other years, blank cells as `default`."""
        groups, dated, cells = columns(self.given.groups, "group", "year", column)
        values = numbers(default if value is None else value for value in cells)
        return paths(self.g.codes(groups), dates(dated), values, len(self.g), years or self.years)

    def _role_paths(self, column: str) -> Array:
        """Path of a column of each member of a group over the plan, 1 where it is blank."""
        *named, dated, cells = columns(self.given.groups, "group", "measure", "role", "year", column)
        of = np.array([self.roles[key] for key in zip(*named, strict=True)], dtype=np.int64)
        values = numbers(1.0 if value is None else value for value in cells)
        return paths(of, dates(dated), values, len(self.roles), self.years)

    # Groups that share a base, and groups that require

    @derived
    def _kinds(self) -> tuple[Mask, Mask, Mask]:
        """Groups that share, groups over stock, and groups that share parts of one base."""
        heads = [rows[0] for rows in self.groups.values()]
        shares = np.array([head.kind == "shared" for head in heads], dtype=bool)
        on_stock = np.array([head.on == "stock" for head in heads], dtype=bool)
        blank = np.array([all(row.cap is None for row in rows) for rows in self.groups.values()], dtype=bool)
        return shares, on_stock, shares & blank

    @derived
    def possible(self) -> Mask:
        """Measure by city: whether there is a potential."""
        found = np.zeros((len(self.m), len(self.c)), dtype=bool)
        found[self.pairs.parts] = True
        return found

    @derived
    def ties(self) -> Ties:
        """Every row of a group that shares or requires, and its members."""
        m, c, w, roles = self.m.number, self.c.number, self.w.number, self.roles
        possible = self.possible
        count = 0
        held: list[tuple[Codes, Codes]] = []
        members: list[tuple[Codes, Codes, Codes, Codes]] = []
        for g, rows in self.groups.items():
            if rows[0].kind == "overlap":
                continue
            named = dict.fromkeys((row.measure, row.role) for row in rows)
            what, role = np.array([(m[measure], roles[g, measure, part]) for measure, part in named]).T
            cities = self._cities_of(rows)
            where = np.array([c[city] for city in cities])
            if rows[0].scope == PROVINCE:
                place = np.array([w[PROVINCE]])
                member, city = np.nonzero(possible[np.ix_(what, where)])
                row = np.zeros_like(city)
            else:
                place = np.array([w[city] for city in cities])
                row, member = np.nonzero(possible[np.ix_(what, where)].T)
                city = row
            held.append((np.full(place.size, self.g.number[g]), place))
            members.append((count + row, what[member], where[city], role[member]))
            count += place.size
        nothing = np.zeros(0, dtype=np.int64)
        group, at = (np.concatenate([nothing, *part]) for part in zip(*(held or [(nothing,) * 2]), strict=True))
        return Ties(
            group, at, *(np.concatenate([nothing, *part]) for part in zip(*(members or [(nothing,) * 4]), strict=True))
        )

    @derived
    def _provides(self) -> Mask:
        """Which members are providers."""
        provider = np.array([role == "provider" for _, _, role in self.roles], dtype=bool)
        mask: Mask = provider[self.ties.role]
        return mask

    @derived
    def _acting(self) -> Mask:
        """Member by year: whether it counts in the row of its group."""
        ties, (_, on_stock, by_share) = self.ties, self._kinds
        group = ties.group[ties.row]
        potential = self.potential_path.array[self.pairs.locate((ties.m, ties.c))]
        counts = on_stock[group][:, None] | self.may_start[ties.m]
        decided = np.array(self.years) > self.decided_after
        acting: Mask = decided & counts & ~(by_share[group][:, None] & (potential == 0))
        return acting

    def _member_keys(self, which: Mask) -> Keys:
        ties = self.ties.only(which)
        return Keys((self.g, self.m, self.c), (ties.group[ties.row], ties.m, ties.c)).times(self.y)

    @derived
    def _using(self) -> Keys:
        """Where a measure takes part in a group."""
        return self._member_keys(~self._provides)

    @derived
    def _providing(self) -> Keys:
        """Where a measure provides for a group."""
        return self._member_keys(self._provides)

    @derived
    def weight(self) -> Table:
        """What one unit takes of a group's base; a part of its potential where the base has no size of its own."""
        ties = self.ties.only(~self._provides)
        _, _, by_share = self._kinds
        part = self.part_of_potential.array.reshape(-1, len(self.y))[self.pairs.locate((ties.m, ties.c))]
        weights = self._role_paths("weight")[ties.role]
        weights = np.where(by_share[ties.group[ties.row]][:, None], part, weights)
        return Table(self._using, weights.ravel())

    @derived
    def ratio(self) -> Table:
        """What one unit of a provider serves."""
        ties = self.ties.only(self._provides)
        return Table(self._providing, self._role_paths("ratio")[ties.role].ravel())

    @derived
    def _caps(self) -> Array:
        """Row by year: the base of a group that shares, what is free in one that requires."""
        shares, _, by_share = self._kinds
        cap = np.where(by_share[:, None], 1.0, self._group_paths("cap", 0.0))
        free = self._group_paths("free", 0.0)
        bound: Array = np.where(shares[:, None], cap, free)[self.ties.group]
        return bound

    @derived
    def _tied(self) -> Mask:
        """Row by year: whether some member counts."""
        found = np.zeros((self.ties.group.size, len(self.y)), dtype=bool)
        np.logical_or.at(found, self.ties.row, self._acting)
        return found

    def _tie_keys(self, which: Mask) -> Keys:
        row, year = np.nonzero(self._tied & which[self.ties.group][:, None])
        return Keys((self.g, self.w, self.y), (self.ties.group[row], self.ties.place[row], year))

    @derived
    def shared(self) -> Keys:
        """Rows of groups that share a base."""
        return self._tie_keys(self._kinds[0])

    @derived
    def required(self) -> Keys:
        """Rows of groups that require."""
        return self._tie_keys(~self._kinds[0])

    @derived
    def cap(self) -> Table:
        """The base that is shared."""
        return Table(self.shared, self._caps[self._tied & self._kinds[0][self.ties.group][:, None]])

    @derived
    def free(self) -> Table:
        """What dependents may have without provider."""
        return Table(self.required, self._caps[self._tied & ~self._kinds[0][self.ties.group][:, None]])

    def _members(self, index: Keys, provides: bool, stock: bool) -> Links:
        """Measures and cities that count in each row, over stock or over starts."""
        shares, on_stock, _ = self._kinds
        ties, kinds = self.ties, shares if index is self.shared else ~shares
        group = ties.group[ties.row]
        chosen = kinds[group] & (on_stock[group] == stock) & (self._provides == provides)
        member, year = np.nonzero(self._acting & chosen[:, None])
        row = index.locate((group[member], ties.place[ties.row][member], year))
        return Links.grouped(index, row, Keys((self.m, self.c), (ties.m[member], ties.c[member])))

    @derived
    def shared_stock(self) -> Links:
        """Members whose stock shares a base."""
        return self._members(self.shared, provides=False, stock=True)

    @derived
    def shared_starts(self) -> Links:
        """Members whose starts share a base."""
        return self._members(self.shared, provides=False, stock=False)

    @derived
    def dependent_stock(self) -> Links:
        """Dependents by stock."""
        return self._members(self.required, provides=False, stock=True)

    @derived
    def dependent_starts(self) -> Links:
        """Dependents by starts."""
        return self._members(self.required, provides=False, stock=False)

    @derived
    def provider_stock(self) -> Links:
        """Providers by stock."""
        return self._members(self.required, provides=True, stock=True)

    @derived
    def provider_starts(self) -> Links:
        """Providers by starts."""
        return self._members(self.required, provides=True, stock=False)

    @derived
    def group_contradictions(self) -> list[tuple[str, tuple[str | int, ...]]]:
        """Rows without any member that cannot hold: the kind of the group, and a key."""
        ties, decided = self.ties, np.array(self.years) > self.decided_after
        return [
            ("shared" if self._kinds[0][ties.group[i]] else "requires", (g, w, self.years[year]))
            for i, year in np.argwhere(~self._tied & decided & (self._caps < 0)).tolist()
            for g, w in [(self.g.labels[ties.group[i]], self.w.labels[ties.place[i]])]
        ]

    # Groups that overlap

    @derived
    def overlap_pairs(self) -> dict[tuple[str, str], tuple[str, str]]:
        """The two measures of each group that overlaps, by group and city."""
        found: dict[tuple[str, str], tuple[str, str]] = {}
        possible = self.possible
        for g, rows in self.groups.items():
            if rows[0].kind == "overlap":
                first, second = dict.fromkeys(row.measure for row in rows)
                both: Mask = possible[self.m.number[first]] & possible[self.m.number[second]]
                found |= {(g, c): (first, second) for c in self._cities_of(rows) if both[self.c.number[c]]}
        return found

    @derived
    def overlap_quantity(self) -> dict[str, str]:
        """The quantity that each group which overlaps abates less."""
        return {g: rows[0].quantity or "" for g, rows in self.groups.items() if rows[0].kind == "overlap"}

    @derived
    def loss(self) -> dict[str, Path]:
        """What is lost where both members stand on the whole base, over the plan [unit of the quantity]."""
        losses = self._group_paths("loss", 0.0)
        return {g: losses[self.g.number[g]] for g in self.overlap_quantity}

    @derived
    def _overlaps(self) -> tuple[Codes, Codes]:
        """Group and city of each pair, and its measures, as places: two arrays of shape (pairs, 2)."""
        where = [(self.g.number[g], self.c.number[c]) for g, c in self.overlap_pairs]
        pairs = [self.m.codes(pair) for pair in self.overlap_pairs.values()]
        return np.array(where, dtype=np.int64).reshape(-1, 2), np.array(pairs, dtype=np.int64).reshape(-1, 2)

    @derived
    def overlaps(self) -> Keys:
        """Where and when both members may stand."""
        (g, c), (one, two) = (part.T for part in self._overlaps)
        potential = self.potential_path.array
        both = (potential[self.pairs.locate((one, c))] > 0) & (potential[self.pairs.locate((two, c))] > 0)
        pair, year = np.nonzero(both)
        return Keys((self.g, self.c, self.y), (g[pair], c[pair], year))

    @derived
    def overlap_members(self) -> Links:
        """The two members."""
        where, pairs = self._overlaps
        known = Keys((self.g, self.c), tuple(where.T))
        members = pairs[known.locate(self.overlaps.parts[:2])]
        return Links(self.overlaps, np.full(len(members), 2), Keys((self.m,), (members.ravel(),)))

    @derived
    def overlapping(self) -> Keys:
        """Each of the members."""
        g, c, y = (np.repeat(part, 2) for part in self.overlaps.parts)
        return Keys((self.g, self.m, self.c, self.y), (g, self.overlap_members.members.parts[0], c, y))

    @derived
    def part_of_potential(self) -> Table:
        """What one unit is of its city's potential, 1/U; 0 without potential [1/unit of m]."""
        potential = self.potential.array
        return Table(self.holdings, np.divide(1.0, potential, out=np.zeros_like(potential), where=potential > 0))
