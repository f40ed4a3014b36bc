"""Words: every message stands in both languages, with the same parameters."""

import re
from string import Formatter

import pytest
from used import ANY, Used

from planner import text
from planner.errors import CaseError, Place, error, warning
from planner.interrupt import WORDS
from planner.reference import chinese


def fields(message: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(message) if name}


def test_every_message_stands_in_both_languages() -> None:
    for message in text.messages().values():
        assert set(message) == set(text.LANGUAGES)
        assert all(isinstance(words, str) for words in message.values())


@pytest.mark.parametrize("key", sorted(key for key in text.messages() if key.startswith("issue.")))
def test_both_languages_name_the_same_things(key: str) -> None:
    message = text.messages()[key]
    assert all(words.strip() for words in message.values())
    assert fields(message["zh"]) == fields(message["en"])


@pytest.mark.parametrize("key", sorted(key for key in text.messages() if key.startswith("issue.")))
def test_chinese_words_are_chinese(key: str) -> None:
    assert re.search("[\u4e00-\u9fff]", text.messages()[key]["zh"])
    assert not re.search("[\u4e00-\u9fff]", text.messages()[key]["en"])


HAN = "[\u4e00-\u9fff“”《》]"
NARROW = re.compile(f"(?<={HAN})[,;:()?!]|[,;:()?!](?={HAN})")
"""Half-width marks beside Chinese. A placeholder, code and Latin words keep the marks inside them."""


TYPED = re.compile(r'(fund|quantity|format):|__main__":|名称: 值')
"""What people type as it stands, with half-width marks."""


def narrow(words: str) -> list[str]:
    """Places at which Chinese text has a half-width mark; what stands in for a placeholder counts as Chinese."""
    filled = re.sub(r"\{\w[^{}]*\}", "字", TYPED.sub("", words))
    return [filled[max(0, at.start() - 8) : at.end() + 8] for at in NARROW.finditer(filled)]


def test_chinese_has_full_width_punctuation() -> None:
    found = {key: narrow(message["zh"]) for key, message in text.messages().items()}
    found |= {"interrupt": narrow(WORDS["zh"])}
    found |= {f"{table}.{name}": narrow(words) for table, of in chinese().items() for name, words in of.items()}
    assert {key: places for key, places in found.items() if places} == {}


@pytest.mark.parametrize("words", ["目标:{name}", "{a},{b}", "已写入(2项)", "成立;否则", "成立吗?", "“a”,b"])
def test_half_width_punctuation_beside_chinese_is_noticed(words: str) -> None:
    assert narrow(words)
    assert not narrow("目标：{x:,.0f}，共1,200项（nox:2030）；见 https://a.b")


def test_every_issue_says_what_is_wrong_and_what_to_do() -> None:
    names = {key.split(".")[1] for key in text.messages() if key.startswith("issue.")}
    assert {f"issue.{name}.{part}" for name in names for part in ("what", "do")} <= set(text.messages())


def test_an_issue_reads_like_a_sentence_with_its_place() -> None:
    issue = error("unknown_id", Place("effects.csv", 41), "quantity", found="Nox", table="quantities.csv", hint="nox")
    assert text.issue(issue, "en") == (
        "effects.csv, row 41, quantity: 'Nox' is not in quantities.csv (did you mean 'nox'?)"
    )
    assert text.issue(issue, "zh") == "effects.csv，第41行，quantity：“Nox”不在quantities.csv中（是否应为“nox”？）"
    assert text.remedy(issue, "zh") == "请更正代码，或在quantities.csv中添加。"


def test_no_hint_leaves_no_empty_brackets() -> None:
    issue = error("unknown_id", Place("effects.csv", 2), "quantity", found="x", table="quantities.csv", hint="")
    assert text.issue(issue, "en").endswith("is not in quantities.csv")


def test_braces_in_cells_are_harmless() -> None:
    issue = error("not_a_number", Place("effects.csv", 2), "value", found="{0} {x}")
    assert "'{0} {x}'" in text.issue(issue, "en")


def test_an_error_carries_all_issues_and_counts_the_faults() -> None:
    place = Place("a.csv")
    raised = CaseError([error("blank", place), warning("gb18030", place), error("utf16", place)])
    assert (len(raised.issues), len(raised.errors)) == (3, 2)
    assert str(raised).startswith("2 faults")


# ---------------------------------------------------------------- used and missing


@pytest.fixture(scope="module")
def used() -> Used:
    return Used()


def test_every_message_is_used(used: Used) -> None:
    """A message that nothing names any more is taken out."""
    left = [key for key in text.messages() if not used.names(key)]
    assert not left, f"messages that nothing names: {left}"


def test_every_message_that_is_asked_for_exists(used: Used) -> None:
    """Keys given to t() in full, and beginnings of keys that are put together, in all of the program."""
    known = set(text.messages())
    missing = [f"{file}: {key}" for file, key in used.asked() if key not in known]
    missing += [
        f"{file}: {key}" for file, key in used.begun() if not any(one.startswith(key.split(ANY)[0]) for one in known)
    ]
    assert not missing, f"messages that stand nowhere: {missing}"


@pytest.mark.parametrize("key", ["ui.nonsense", "ui.targets.blurb", "issue.gibberish.what", "nothing"])
def test_a_message_nobody_names_is_noticed(used: Used, key: str) -> None:
    assert not used.names(key)
