"""The benchmark of the app finds its levers and measures their moves."""

import re
import subprocess
import sys

from .conftest import ROOT


def test_moves_are_measured() -> None:
    command = [sys.executable, "-m", "benchmarks.app", "--people", "2", "--moves", "2"]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=True).stdout
    (row,) = re.findall(r"^ +2 \| +2 \|(.+)$", told, re.M)
    whole, solve, server, browser, first, others = (
        float(part.split("/")[0].replace(",", "")) for part in row.split("|")
    )
    assert min(whole, server, first, others) > 0
    assert max(solve, server, browser) <= whole < 60_000
