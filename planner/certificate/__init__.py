"""Certificate: a plan recomputed from the tables of its case, by code that shares nothing with the model or the solver.

`facts` reads the tables, `ledger` says how every account follows from starts, overlaps and payments and what must be
kept, `papers` reads the files, `recompute` and `check` hold them against each other, `proof` turns the prices into a
lower bound, `judge` comes to a verdict. `by_hand` completes a plan of which only the starts are given.
"""

from planner.certificate.by_hand import complete
from planner.certificate.judge import certify
from planner.certificate.verdict import Certificate, Violation
from planner.certificate.verify import verify

__all__ = ["Certificate", "Violation", "certify", "complete", "verify"]
