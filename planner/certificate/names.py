"""Names of accounts: what a violation is about, in the words of the tables."""

import numpy as np

from planner.certificate.facts import Facts, Numbers
from planner.certificate.ledger import Ledger
from planner.certificate.papers import Paper


class Names:
    """What accounts are called."""

    def __init__(self, facts: Facts, ledger: Ledger) -> None:
        self.facts, self.ledger = facts, ledger
        self.site_of = np.full((len(facts.measures), len(facts.cities)), -1, dtype=np.int64)
        for i, (m, c) in enumerate(facts.sites):
            self.site_of[m, c] = i

    def sites(self, paper: Paper, measure: str, city: str) -> Numbers:
        """Site of each row; -1 where the city cannot have the measure."""
        m, c = paper.codes(measure, self.facts.measures), paper.codes(city, self.facts.cities)
        found: Numbers = np.where((m < 0) | (c < 0), -1, self.site_of[m, c])
        return found

    def site_year(self, i: int) -> str:
        """Measure, city and year of a stock."""
        f = self.facts
        m, c = f.sites[i // f.T]
        return f"{f.names['measure'][m]}/{f.names['city'][c]}/{f.dates[i % f.T]}"

    def start(self, j: int) -> str:
        """Measure, city and year of a start."""
        return self.site_year(self.facts.starts[j].site * self.facts.T + self.facts.at[self.facts.starts[j].year])

    def overlap(self, i: int) -> str:
        """Group, city and year of an overlap."""
        f = self.facts
        g, c = self.ledger.overlaps[i // f.T]
        return f"{f.ties[g].name}/{f.names['city'][c]}/{f.dates[i % f.T]}"

    def payment(self, i: int) -> str:
        """Fund, pool, city and year of a payment."""
        f = self.facts
        fund, k = list(f.share)[i // (len(f.cities) * f.T)]
        return f"{fund}/{f.pools[k]}/{f.names['city'][i // f.T % len(f.cities)]}/{f.dates[i % f.T]}"

    def place(self, i: int, blank: bool = False) -> str:
        """Quantity, city, sector and year; with `blank` what no city holds counts as one more city."""
        f = self.facts
        _, C, S, T = f.shape
        q, c, s, t = np.unravel_index(i, (f.shape[0], C + blank, S, T))
        city = f.names["city"][c] if c < C else ""
        return f"{f.names['quantity'][q]}/{city}/{f.names['sector'][s]}/{f.dates[t]}"
