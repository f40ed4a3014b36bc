"""What `planner verify` does: read a case and a plan, certify it, say so."""

from pathlib import Path

from planner.certificate.by_hand import complete
from planner.certificate.judge import certify
from planner.certificate.verdict import Certificate
from planner.tables import read_case
from planner.text import t

FINE, UNVERIFIED = 0, 5
"""Exit codes of `planner verify`."""
STARTS = "portfolio.csv"


def verify(case_path: Path | str, plan_dir: Path | str, lang: str) -> tuple[int, str]:
    """Exit code and words for the plan in a folder; a folder with nothing but `portfolio.csv`, or that file, is a plan
    made by hand.

    Raises CaseError for faults in the case, and OSError or ValueError when the folder holds no plan.
    """
    case, plan = read_case(case_path), Path(plan_dir)
    if plan.is_file():
        certificate = complete(case, plan)
    elif not (plan / "summary.json").exists() and (plan / STARTS).exists():
        certificate = complete(case, plan / STARTS)
    else:
        certificate = certify(case, plan)
    return (FINE if certificate.passed else UNVERIFIED), words(certificate, case.settings.currency, lang)


def words(certificate: Certificate, currency: str, lang: str) -> str:
    """What is printed: the certificate, and the cost of a plan made by hand."""
    text = certificate.text(lang)
    if certificate.by_hand:
        head, *rest = text.splitlines()
        cost = t("certificate.cost", lang, value=f"{certificate.cost:.9g}", unit=currency)
        text = "\n".join([f"{head} · {cost}", *rest])
    return text
