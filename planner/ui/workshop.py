"""The page of a workshop: a room with a code, teams that post their plans to one board, guesses before the answer."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import pandas as pd
import streamlit
import streamlit as st

from planner import amounts, charts
from planner.case import Case
from planner.errors import PlannerError
from planner.explore import frontier
from planner.highlights import main_quantity
from planner.plan import Plan
from planner.store import StoreError, tidy
from planner.text import t
from planner.ui import address, answering, changes, drawing, figures, jobs, keeping, ledgers, rooms, shared, state
from planner.ui.desk import Work
from planner.ui.draft import Draft, EditMapping
from planner.ui.levers import Lever, short_name, years_text
from planner.ui.planning import draw_headline
from planner.ui.rooms import Board
from planner.ui.words import plain

LOOK_AGAIN = 2.0
"""How often a board looks for moves of others [s]."""
BIG_STEPS = 9
"""Positions of a lever at most [-]."""
MOST_MOVES = 60
"""Moves listed at most [-]."""
SLOT, POINTS = "board", 8
"""Long work of the board: points of its frontier [-]."""
LARGE = """<style>
.st-key-room [data-testid="stMarkdownContainer"] p, .st-key-room label p {font-size: 1.15rem;}
.st-key-room [data-testid="stMetricValue"] {font-size: 1.9rem;}
.st-key-code p {font-size: 3rem !important; font-weight: 700; letter-spacing: 0.2em;}
</style>"""


def page() -> None:
    """A room to open or to join; else what the facilitator sees, or a team."""
    lang = state.view().lang
    st.html(LARGE)
    try:
        room, team, hosting = address.room()
        if not room:
            draw_entrance(lang)
            return
        stand = answering.stand(t("ui.workshop.title", lang, room=room))
        with st.container(key="room"):
            if hosting:
                draw_host(stand, room, lang)
            elif team:
                draw_team(stand, room, team, lang)
            else:
                draw_join(room, lang)
    except StoreError as fault:
        st.error(t("ui.saved.unreadable", lang, words=str(fault)))


# ---------------------------------------------------------------- in and out


def draw_entrance(lang: str) -> None:
    """Open a room, or join one."""
    st.title(t("ui.page.workshop", lang), anchor=False)
    st.markdown(t("ui.workshop.intro", lang))
    left, right = st.columns(2, gap="large")
    with left:
        st.subheader(t("ui.workshop.join", lang), anchor=False)
        code = st.text_input(t("ui.workshop.code", lang), key=f"room_code_{lang}", max_chars=12).strip().upper()
        name = tidy(st.text_input(t("ui.workshop.team", lang), key=f"room_team_{lang}", max_chars=30))
        st.button(
            t("ui.workshop.enter", lang),
            key="enter",
            type="primary",
            icon=":material/login:",
            disabled=not (code and name),
            on_click=partial(enter, code, name, lang),
        )
    with right:
        st.subheader(t("ui.workshop.host", lang), anchor=False)
        st.caption(t("ui.workshop.host_help", lang))
        st.button(t("ui.workshop.open", lang), key="open_room", icon=":material/add_home:", on_click=open_room)
    words = st.session_state.pop("room_words", None)
    if words:
        st.warning(words)


def draw_join(room: str, lang: str) -> None:
    """Somebody came by the link of a room: only the name of the team is missing."""
    name = tidy(st.text_input(t("ui.workshop.team", lang), key=f"room_team_{lang}", max_chars=30))
    st.button(
        t("ui.workshop.enter", lang),
        key="enter",
        type="primary",
        icon=":material/login:",
        disabled=not name,
        on_click=partial(enter, room, name, lang),
    )


def open_room() -> None:
    """Open a room for the case on screen."""
    code, secret = rooms.opened(shared.store(), st.session_state["case"])
    address.into_room(room=code, host=secret)


def enter(code: str, name: str, lang: str) -> None:
    """Join a room as a team."""
    if shared.store().room(code) is None:
        st.session_state["room_words"] = t("ui.workshop.unknown", lang, code=code)
        return
    shared.store().add(code, name, "join")
    address.into_room(room=code, team=name)


# ---------------------------------------------------------------- a team


def draw_team(stand: answering.Stand, room: str, team: str, lang: str) -> None:
    """Levers in big steps, the headline, and what goes to the board."""
    st.caption(t("ui.workshop.you", lang, team=plain(team)))
    left, right = st.columns([0.42, 0.58], gap="large")
    with left:
        draw_big_levers(stand, lang)
    with right:
        if stand.shown is None:
            return
        plan = stand.shown.plan
        case = plan.case or stand.case
        with st.container(key="answer"):
            draw_headline(
                figures.headline(case, stand.offered, plan, stand.reference, lang)[:4], stand.reference_name, lang
            )
        if stand.current:
            note_move(stand, room, team, plan)
        draw_post(stand, room, team, plan, lang)
    st.fragment(draw_together, run_every=LOOK_AGAIN)(stand, room, team, lang)


def draw_big_levers(stand: answering.Stand, lang: str) -> None:
    """Levers with few positions, and presets."""
    case, draft = stand.case, state.draft(stand.case)
    for lever in stand.offered[:4]:
        slider = state.slider(case, lever, lang)
        st.select_slider(
            lever.label(case, lang),
            coarse(lever, draft.at(lever)),
            key=slider,
            format_func=partial(lever.shown, lang=lang),
            on_change=partial(state.follow, case, lever, slider),
        )
    with st.container(horizontal=True, gap="small"):
        st.button(
            t("ui.lever.reset_all", lang),
            key="as_case_again",
            on_click=state.push,
            args=(case, Draft()),
            type="tertiary",
        )
        for preset in keeping.presets(case)[:6]:
            st.button(
                keeping.title(preset, lang),
                key=f"team_{preset.scenario}",
                on_click=state.push,
                args=(case, Draft(keeping.edits(preset))),
                type="tertiary",
            )


def coarse(lever: Lever, at: int) -> list[int]:
    """Few positions of a lever, its own, the ends and where it stands among them."""
    step = max(1, -(-len(lever.positions) // BIG_STEPS))
    chosen = {*lever.positions[::step], lever.positions[-1], lever.own, at}
    return [position for position in lever.positions if position in chosen]


def note_move(stand: answering.Stand, room: str, team: str, plan: Plan) -> None:
    """Note once in the log that a team moved on to another plan."""
    if st.session_state.get("noted") not in (None, stand.asked.digest):
        told = rooms.told(plan, main_quantity(stand.case))
        shared.store().add(room, team, "move", told)
    st.session_state["noted"] = stand.asked.digest


def draw_post(stand: answering.Stand, room: str, team: str, plan: Plan, lang: str) -> None:
    """Put the plan on screen on the board, under a name."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = tidy(st.text_input(t("ui.workshop.plan_name", lang), key=f"post_name_{lang}", max_chars=40))
        st.button(
            t("ui.workshop.post", lang),
            key="post",
            type="primary",
            icon=":material/send:",
            disabled=not stand.current,
            on_click=partial(post, stand, room, team, plan, name),
        )


def post(stand: answering.Stand, room: str, team: str, plan: Plan, name: str) -> None:
    """Put a plan on the board."""
    content = rooms.told(plan, main_quantity(stand.case))
    edits = [dict(edit) for edit in changes.all_edits(stand.case)]
    shared.store().add(room, team, "snapshot", {**content, "name": name, "edits": edits})


def draw_together(stand: answering.Stand, room: str, team: str, lang: str) -> None:
    """A question to guess, and the board."""
    found = rooms.board(shared.store().moves(room))
    question = found.question
    if question is not None:
        unit = drawing.money_unit(stand.case, lang)
        st.subheader(t("ui.workshop.guess", lang, name=plain(question.name)), anchor=False)
        if question.cost is None:
            with st.container(horizontal=True, vertical_alignment="bottom"):
                st.number_input(t("ui.workshop.your_guess", lang, unit=unit), key="guess_value", step=1.0, width=260)
                st.button(
                    t("ui.workshop.send_guess", lang),
                    key="send_guess",
                    icon=":material/psychology_alt:",
                    on_click=partial(send_guess, stand.case, room, team, lang),
                )
            if team in question.guesses:
                st.caption(t("ui.workshop.guessed", lang, count=len(question.guesses)))
        else:
            draw_guesses(stand.case, found, lang)
    draw_board(stand, found, lang)


def send_guess(case: Case, room: str, team: str, lang: str) -> None:
    """Note what a team guesses."""
    factor = amounts.money(case.settings.money_unit, case.settings.currency, lang).factor
    shared.store().add(room, team, "guess", {"cost": float(st.session_state["guess_value"]) / factor})


# ---------------------------------------------------------------- the facilitator


def draw_host(stand: answering.Stand, room: str, lang: str) -> None:
    """Code and address, the question, the board, the log."""
    left, right = st.columns([0.3, 0.7], gap="large")
    with left:
        url, reached = rooms.address(st.context.url or "", room, streamlit.get_option("server.address"))
        with st.container(key="code"):
            st.markdown(room)
        ink = {"dark": drawing.ground().ink, "light": drawing.ground().paper}
        st.image(rooms.code_of(url, ink), width=240)
        st.code(url, language=None, wrap_lines=True)
        if not reached:
            st.caption(t("ui.workshop.loopback", lang))
        draw_frontier_button(stand, lang)
    with right:
        st.fragment(draw_hosted, run_every=LOOK_AGAIN)(stand, room, lang)
    with st.container(horizontal=True):
        st.download_button(
            t("ui.workshop.export", lang),
            data=lambda: rooms.export(room, stand.case, shared.store().moves(room)),
            file_name=f"workshop-{room}.json",
            mime="application/json",
            key="export_room",
            icon=":material/download:",
            on_click="ignore",
        )
        with st.popover(t("ui.workshop.reset", lang), icon=":material/restart_alt:", key="reset_room"):
            st.caption(t("ui.workshop.reset_help", lang))
            st.button(
                t("ui.workshop.reset_now", lang),
                key="reset_now",
                type="primary",
                on_click=reset,
                args=(room,),
            )


def reset(room: str) -> None:
    """Empty the board."""
    shared.store().add(room, rooms.HOST, "reset")


def draw_frontier_button(stand: answering.Stand, lang: str) -> None:
    """Work out the frontier of the case on which all teams are drawn."""
    quantity = main_quantity(stand.case)
    if quantity is None:
        return
    if state.job(stand.case, SLOT) is None:
        st.button(
            t("ui.workshop.frontier", lang),
            key="board_frontier",
            icon=":material/show_chart:",
            on_click=partial(trace, stand.case, quantity),
        )
        return
    jobs.watch(stand.case, SLOT, lang)


def trace(case: Case, quantity: str) -> None:
    """Begin to work out the frontier of a case."""

    def job(work: Work[Any]) -> pd.DataFrame:
        return frontier(case, quantity, points=POINTS, progress=work.told).points.rename(columns={"x": "total"})

    state.begin(case, SLOT, job, case)


def draw_hosted(stand: answering.Stand, room: str, lang: str) -> None:
    """Question and board, fresh every few seconds."""
    found = rooms.board(shared.store().moves(room))
    question = found.question
    if question is None or question.cost is not None:
        names = {one.scenario: keeping.title(one, lang) for one in keeping.presets(stand.case)}
        names |= {"": t("ui.workshop.case_itself", lang)}
        names |= {str(one.number): f"{one.team} · {one.name}" for one in found.latest.values()}
        with st.container(horizontal=True, vertical_alignment="bottom"):
            chosen = st.selectbox(
                t("ui.workshop.ask_about", lang), list(names), format_func=names.__getitem__, key=f"ask_{lang}"
            )
            st.button(
                t("ui.workshop.ask", lang),
                key="ask",
                icon=":material/quiz:",
                on_click=partial(ask, stand.case, room, found, str(chosen or ""), names[str(chosen or "")]),
            )
    else:
        st.subheader(t("ui.workshop.guess", lang, name=plain(question.name)), anchor=False)
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption(t("ui.workshop.guesses_in", lang, count=len(question.guesses), teams=len(found.teams)))
            st.button(
                t("ui.workshop.reveal", lang),
                key="reveal",
                type="primary",
                icon=":material/visibility:",
                on_click=partial(reveal, stand.case, room, question.edits),
            )
    if question is not None and question.cost is not None:
        draw_guesses(stand.case, found, lang)
    draw_board(stand, found, lang)
    draw_log(stand.case, found, lang)


def ask(case: Case, room: str, found: Board, chosen: str, name: str) -> None:
    """Ask all teams what something costs."""
    snapshot = next((one for one in found.snapshots if str(one.number) == chosen), None)
    edits: tuple[EditMapping, ...] = snapshot.edits if snapshot else keeping.preset_edits(case, chosen)
    shared.store().add(room, rooms.HOST, "question", {"name": name, "edits": [dict(edit) for edit in edits]})


def reveal(case: Case, room: str, edits: tuple[EditMapping, ...]) -> None:
    """Work out the answer and show it to all."""
    try:
        plan = state.ask(case.edited(edits), "guess").future.result().plan
    except PlannerError as fault:
        st.session_state["room_words"] = str(fault)
        return
    if plan.found:
        shared.store().add(room, rooms.HOST, "reveal", {"cost": figures.present_value(plan)})


# ---------------------------------------------------------------- the board


def draw_guesses(case: Case, found: Board, lang: str) -> None:
    """The answer, and who came how near."""
    question = found.question
    if question is None or question.cost is None:
        return
    money = amounts.money(case.settings.money_unit, case.settings.currency, lang)
    value = amounts.number(question.cost * money.factor)
    st.success(t("ui.workshop.answer", lang, name=plain(question.name), value=value, unit=money.name))
    guesses = sorted(question.guesses.items(), key=lambda item: abs(item[1] - question.cost))  # type: ignore[operator]
    for place, (team, guess) in enumerate(guesses, start=1):
        words = {"place": place, "team": plain(team), "value": amounts.number(guess * money.factor), "unit": money.name}
        st.markdown(t("ui.workshop.guess_row", lang, **words))


def draw_board(stand: answering.Stand, found: Board, lang: str) -> None:
    """All teams on one frontier, and side by side."""
    case, quantity = stand.case, main_quantity(stand.case)
    st.subheader(t("ui.workshop.board", lang), anchor=False)
    if not found.snapshots:
        st.caption(t("ui.workshop.empty", lang))
        return
    if quantity is None:
        return
    row = next(row for row in case.quantities if row.quantity == quantity)
    years = years_text(case.settings.first_year, case.settings.last_year, lang)
    unit = figures.unit_of(case, quantity, lang)
    words = {
        "total": t("ui.frontier.total", lang, quantity=short_name(row, lang), years=years, unit=unit.name),
        "cost": t("ui.frontier.cost", lang, unit=drawing.money_unit(case, lang)),
        "team": t("ui.workshop.team", lang),
        "name": t("ui.workshop.plan_name", lang),
    }
    known = state.job(case, SLOT)
    done = known is not None and known[1].useful and known[1].future.done()
    frame = board_frame(case, found, known[1].future.result() if known is not None and done else None, lang)
    colours = ledgers.palette(found.teams)
    st.vega_lite_chart(
        frame,
        charts.board(words, colours, drawing.ground()),
        width="stretch",
        height=420,
        key="board",
        alt=t("ui.workshop.board", lang),
    )
    draw_side_by_side(case, found, words, lang)


def board_frame(case: Case, found: Board, points: pd.DataFrame | None, lang: str) -> pd.DataFrame:
    """Snapshots and frontier: part (frontier, team), team, name, total, cost, last [shown units]."""
    quantity = main_quantity(case)
    unit = figures.unit_of(case, quantity, lang).factor if quantity else 1.0
    money = amounts.money(case.settings.money_unit, case.settings.currency, lang).factor
    latest = {one.number for one in found.latest.values()}
    rows = [
        ("team", one.team, one.name, one.total * unit, one.cost * money, one.number in latest)
        for one in found.snapshots
    ]
    if points is not None:
        totals, costs = points["total"].tolist(), points["cost"].tolist()
        rows += [("frontier", "", "", a * unit, b * money, True) for a, b in zip(totals, costs, strict=True)]
    return pd.DataFrame(rows, columns=["part", "team", "name", "total", "cost", "last"])


def draw_side_by_side(case: Case, found: Board, words: Mapping[str, str], lang: str) -> None:
    """The last plan of every team."""
    quantity = main_quantity(case)
    unit = figures.unit_of(case, quantity, lang) if quantity else amounts.Shown(1.0, "")
    money = amounts.money(case.settings.money_unit, case.settings.currency, lang)
    rows = [
        (one.team, one.name, one.cost * money.factor, one.capex * money.factor, one.total * unit.factor, one.missed)
        for one in found.latest.values()
    ]
    frame = pd.DataFrame(rows, columns=["team", "name", "cost", "capex", "total", "missed"])
    column = st.column_config
    st.dataframe(
        frame,
        hide_index=True,
        height="content",
        column_config={
            "team": column.TextColumn(words["team"]),
            "name": column.TextColumn(words["name"]),
            "cost": column.NumberColumn(words["cost"], format="%,.2f"),
            "capex": column.NumberColumn(
                t("ui.joined", lang, what=t("ui.portfolio.capex", lang), unit=money.name), format="%,.1f"
            ),
            "total": column.NumberColumn(words["total"], format="%,.0f"),
            "missed": column.NumberColumn(t("ui.compare.missed", lang)),
        },
    )


def draw_log(case: Case, found: Board, lang: str) -> None:
    """What was done, the latest first."""
    money = amounts.money(case.settings.money_unit, case.settings.currency, lang)
    with st.expander(t("ui.workshop.log", lang, count=len(found.moves))):
        for move in reversed(found.moves[-MOST_MOVES:]):
            cost = move.content.get("cost")
            value = t("ui.amount", lang, number=amounts.number(cost * money.factor), unit=money.name) if cost else ""
            words = {"team": plain(move.team) or t("ui.workshop.host", lang), "value": value}
            words["name"] = plain(str(move.content.get("name", "")))
            st.caption(t(f"ui.workshop.moves.{move.what}", lang, **words))


if __name__ == "__main__":
    page()
