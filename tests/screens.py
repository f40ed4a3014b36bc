"""What tests of the app share: a browser on the tutorial, and what is done in it."""

from pathlib import Path
from typing import Any

from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import SelectSlider

from planner.case import Case
from planner.engine import Options
from planner.plan import Plan, solve
from planner.tables import read_case
from planner.text import t
from planner.ui.levers import levers
from planner.ui.state import Desktop

ROOT = Path(__file__).parent.parent

CASE = ROOT / "cases" / "tutorial"

CARBON = "carbon"

SAME = t("ui.figure.same", "zh", name=t("ui.figure.case", "zh"))


def another() -> AppTest:
    """The app in another browser."""
    return AppTest.from_file(str(ROOT / "app.py"), default_timeout=120)


def ran(app: AppTest) -> AppTest:
    app.run()
    assert not app.exception, app.exception
    return app


def desktop(app: AppTest) -> Desktop:
    """What the visitor has of the tutorial."""
    found: Desktop = app.session_state["desktop_tutorial"]
    return found


def slider(app: AppTest, lever: str, lang: str = "zh") -> SelectSlider[int]:
    """The slider of a lever; another one takes its place where the lever is moved otherwise."""
    (found,) = [one for one in app.select_slider if (one.key or "").startswith(f"lever_tutorial_{lever}_{lang}_")]
    return found


def finished(app: AppTest, slot: str) -> AppTest:
    """After long work is done."""
    app.session_state[f"job_tutorial_{slot}"][1].future.result(120)
    return ran(app)


def moved(position: int, lever: str = "carbon") -> Plan:
    """What the core answers when a lever of the tutorial is moved."""
    case = read_case(CASE)
    edits = next(one for one in levers(case) if one.id == lever).edits(case, position)
    return solve(case.edited(edits), Options(break_ties=False, prices=False))


def opened(app: AppTest, page: str) -> AppTest:
    """On another page."""
    ran(app).switch_page(f"planner/ui/{page}.py")
    return ran(app)


def typed(app: AppTest, table: str, **what: Any) -> AppTest:
    """Somebody edits a table."""
    app.segmented_control(key="sheet_zh").set_value(table)
    ran(app)
    key = f"editor_{table}_zh_{answered(app).digest[:12]}"
    app.session_state[key] = {"edited_rows": {}, "added_rows": [], "deleted_rows": [], **what}
    return ran(app)


def answered(app: AppTest) -> Case:
    """The case that the plan on screen answers."""
    shown = desktop(app).shown
    assert shown is not None and shown.plan.case is not None
    return shown.plan.case


def reloaded(app: AppTest) -> AppTest:
    """What a browser does on a reload: a new session with the same address."""
    other = another()
    for name, values in app.query_params.items():
        other.query_params[name] = values
    return ran(other)


def save(app: AppTest, name: str) -> AppTest:
    """Save what is on screen."""
    app.text_input(key="save_name_at_hand_zh").set_value(name)
    ran(app)
    app.button(key="save_at_hand").click()
    return ran(app)
