"""Why there is no plan, and the cheapest way out."""

from planner.conflict.ceilings import ceilings
from planner.conflict.changes import Change
from planner.conflict.diagnosis import Alone, Clash, Diagnosis, Member, diagnose
from planner.conflict.model import Element
from planner.conflict.relax import Give
from planner.conflict.repair import Line, Part
from planner.conflict.words import Telling, diagnosis_summary, diagnosis_text, line_text

__all__ = [
    "Alone",
    "Change",
    "Clash",
    "Diagnosis",
    "Element",
    "Give",
    "Line",
    "Member",
    "Part",
    "Telling",
    "ceilings",
    "diagnose",
    "diagnosis_summary",
    "diagnosis_text",
    "line_text",
]
