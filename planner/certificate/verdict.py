"""What a certificate says: errors, bound, gap, what is violated where, and the verdict in words."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from planner.text import t

TOLERANCE = 1e-6
"""Largest error, relative to the scale of what is checked, that a kept row may have [-]."""
SHOWN = 20
Verdict = Literal["proven", "within", "feasible", "fails", "empty"]


@dataclass(frozen=True)
class Violation:
    """One thing that does not hold: where it stands, what it is about, what was found and what would be right."""

    key: str
    """Kind of fault; its words stand in `planner/locale/certificate.yaml` under `certificate.fault`."""
    where: str
    """File of the plan."""
    what: str = ""
    """What, where, when; the family of rows in front, where it is one that a plan must keep."""
    row: int | None = None
    """Row of the file as in a spreadsheet (header = row 1)."""
    column: str | None = None
    found: object = None
    expected: object = None
    error: float = float("inf")
    """Error relative to the scale of the row [-]."""

    def text(self, lang: str) -> str:
        """One line in a language."""
        parts = [self.where]
        if self.row is not None:
            parts.append(t("place.row", lang, number=self.row))
        if self.what:
            parts.append(self.what)
        if self.column is not None:
            parts.append(self.column)
        place = ("，" if lang == "zh" else ", ").join(parts)
        shown = {"found": shown_value(self.found), "expected": shown_value(self.expected)}
        return place + ("：" if lang == "zh" else ": ") + t(f"certificate.fault.{self.key}", lang, **shown)


def shown_value(value: object) -> object:
    """A number with the digits of the files."""
    return f"{value:.9g}" if isinstance(value, float) else "" if value is None else value


@dataclass(frozen=True)
class Certificate:
    """What an independent recomputation of a plan found; errors are relative to the scale of each row [-]."""

    verdict: Verdict
    primal: float
    """Largest error of any number in the files and of any row that must be kept [-]."""
    dual: float | None
    """Largest error of a price: a wrong sign, or a defined price that does not follow from the others [-]."""
    complementarity: float | None
    """Largest price times room of any row or account, as a part of the objective [-]."""
    gap: float | None
    """What the plan may be above the proven bound of its cost, as a part of the objective [-]."""
    bound: float | None
    """Proven lower bound of the cost, where prices were given [currency]."""
    cost: float
    """Net present value recomputed from the starts, penalties included [currency]."""
    proven: tuple[str, ...] = ()
    """Stages of the objective whose value is proven, given the stages before them."""
    unproven: tuple[str, ...] = ()
    """Stages of the objective without proof."""
    lumps_held: bool = False
    """Whether bound and gap hold only with the whole numbers of lumps as they are."""
    solver_gap: float | None = None
    """Gap of a plan with lumps, as the solver states it [-]."""
    by_hand: bool = False
    """Whether only starts were given and the rest was completed."""
    violations: tuple[Violation, ...] = ()
    objectives: Mapping[str, float] = field(default_factory=dict)
    """Objectives recomputed from the starts [their units]."""
    seconds: float = 0.0
    details: Mapping[str, Any] = field(default_factory=dict)
    """Largest primal error by file or family [-]."""

    @property
    def passed(self) -> bool:
        """Whether nothing is violated."""
        return self.verdict not in ("fails", "empty")

    def summary(self) -> dict[str, float | None]:
        """What `summary.json` keeps of it: largest primal, dual and complementarity error, and the gap."""
        numbers = {
            "primal": self.primal, "dual": self.dual, "complementarity": self.complementarity, "gap": self.gap
        }  # fmt: skip
        return {name: None if value is None else float(f"{value:.3g}") for name, value in numbers.items()}

    def line(self, lang: str) -> str:
        """The verdict and its numbers in one line."""
        numbers = [t("certificate.primal", lang, value=f"{self.primal:.1e}")]
        if self.gap is not None:
            assert self.dual is not None and self.complementarity is not None
            numbers.append(t("certificate.dual", lang, value=f"{self.dual:.1e}"))
            numbers.append(t("certificate.complementarity", lang, value=f"{self.complementarity:.1e}"))
            numbers.append(
                t("certificate.held_gap" if self.lumps_held else "certificate.gap", lang, value=f"{self.gap:.1e}")
            )
        if self.unproven:
            numbers.append(t("certificate.unproven", lang, names=", ".join(self.unproven)))
        return self.words(lang) + " · " + " · ".join(numbers)

    def words(self, lang: str) -> str:
        """The verdict in words."""
        if self.verdict == "within":
            gap = self.solver_gap if self.lumps_held else self.gap
            key = "certificate.verdict.within_solver" if self.lumps_held else "certificate.verdict.within"
            return t(key, lang, gap=f"{gap:.1e}")
        if self.verdict == "fails":
            return t("certificate.verdict.fails", lang, count=len(self.violations))
        return t(f"certificate.verdict.{'by_hand' if self.by_hand else self.verdict}", lang)

    def text(self, lang: str, most: int = SHOWN) -> str:
        """The line, and below it what is violated, the worst first."""
        lines = [self.line(lang)]
        worst = sorted(self.violations, key=lambda v: -v.error)
        lines += ["  " + violation.text(lang) for violation in worst[:most]]
        if len(worst) > most:
            lines.append("  " + t("certificate.more", lang, count=len(worst) - most))
        return "\n".join(lines)
