"""Which messages the code names: keys written out, and keys put together from parts that are written out."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
FILES = (*sorted((ROOT / "planner").rglob("*.py")), ROOT / "app.py", *sorted((ROOT / "docs").glob("*.py")))
FROM_DATA = ("currency.", "unit.")
"""Messages named by cells of the tables: the tests of units hold them to the bundled cases."""
WHOLE = ("glossary.",)
"""Sections that a page shows whole."""
KEY = re.compile(r"[a-z_]+(\.[\w<>=+. -]*)?")
DIGITS = "0123456789"
ANY = "\0"


def texts(tree: ast.AST) -> Iterator[str]:
    """Texts of the code; what is put in between is one blank, and so is what is added at the end."""
    longer = {id(node.left) for node in ast.walk(tree) if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add)}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            text = "".join(v.value if isinstance(v, ast.Constant) else ANY for v in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            text = node.value
        else:
            continue
        yield re.sub(f"{ANY}+", ANY, text + ANY * (id(node) in longer))


def words(tree: ast.AST) -> Iterator[str]:
    """Everything that may be put in between: names, and words of texts."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and len(node.value) < 60:
            yield from (node.value, *re.findall(r"[\w<>=]+", node.value))
        for name in ("id", "attr", "arg", "name"):
            value = getattr(node, name, None)
            if isinstance(value, str):
                yield value


class Used:
    """What the code says."""

    def __init__(self) -> None:
        trees = [ast.parse(file.read_text(encoding="utf-8")) for file in FILES]
        found = {text for tree in trees for text in texts(tree)}
        self.keys = {text for text in found if ANY not in text}
        self.words = {word for tree in trees for word in words(tree)}
        parts = {text for text in found if ANY in text and "." in text.split(ANY)[0] and KEY.match(text)}
        parts |= {text for text in found if re.match(f"[a-z_]+{ANY}", text)}
        self.patterns = [re.compile("(.*)".join(map(re.escape, text.split(ANY)))) for text in sorted(parts)]

    @staticmethod
    def calls() -> Iterator[tuple[str, ast.expr]]:
        """First arguments of all calls of t(), with the file they stand in; not of methods, which add a beginning."""
        for file in FILES:
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and node.args and getattr(node.func, "id", "") == "t":
                    yield file.name, node.args[0]

    def asked(self) -> Iterator[tuple[str, str]]:
        """File and key where t() is given a whole key."""
        for file, first in self.calls():
            for node in (first.body, first.orelse) if isinstance(first, ast.IfExp) else (first,):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    yield file, node.value

    def begun(self) -> Iterator[tuple[str, str]]:
        """File and key where t() is given a key that is put together and begins with its section."""
        for file, first in self.calls():
            if isinstance(first, ast.JoinedStr):
                text = next(texts(first))
                if "." in text.split(ANY)[0]:
                    yield file, text

    def names(self, key: str) -> bool:
        """Whether the code can come to name a message."""
        if key in self.keys or key.startswith((*FROM_DATA, *WHOLE)):
            return True
        for pattern in self.patterns:
            match = pattern.fullmatch(key)
            if match and all(self.known(part) for part in match.groups()):
                return True
        return False

    def known(self, part: str) -> bool:
        """Whether a part of a key is made of words of the code."""
        pieces = [piece for piece in part.split(".") if piece]
        return all(piece in self.words or {*piece.split("_")} - {"", *DIGITS} <= self.words for piece in pieces)
