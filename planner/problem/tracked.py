"""Attributes that know what they were computed from, so that an edited case repeats only what the edit touches.

An attribute is computed when it is first read. While it is, every attribute and every table of the case that it reads
is noted together with the value found. The problem of an edited case begins with these notes: an attribute whose
inputs are still the very same objects is kept, and one that comes out equal to what it was stays the old object, so
that nothing that stands on it is computed again.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from threading import RLock
from typing import Any, Generic, Self, TypeVar, cast, overload

import numpy as np

from planner.case import Case
from planner.rows import Row

T = TypeVar("T")
R = TypeVar("R", bound=Row)
CASE = "case."
"""Begins the name of an input that is a part of the case."""


@dataclass(frozen=True)
class Note:
    """A value, and the inputs it was computed from, by name."""

    value: Any
    inputs: Mapping[str, Any]


class Tracked:
    """Something computed from a case, attribute by attribute."""

    def __init__(self, case: Case, before: "Tracked | None" = None) -> None:
        self.case = case
        self._notes: dict[str, Note] = {}
        self._before: dict[str, Note] = {**before._before, **before._notes} if before else {}
        self._rows: dict[int, tuple[Row, Note]] = {}
        self._rows_before: dict[int, tuple[Row, Note]] = (before._rows or before._rows_before) if before else {}
        self._reading: list[dict[str, Any]] = []
        self._lock = RLock()

    @property
    def given(self) -> Case:
        """The case; what is read of it is noted."""
        return cast(Case, _Given(self))

    def computed(self) -> tuple[str, ...]:
        """Names of the attributes that have been computed so far."""
        return tuple(self._notes)

    def _note(self, name: str, value: Any) -> None:
        if self._reading:
            self._reading[-1][name] = value

    def of_row(self, row: R, find: Callable[[R], T]) -> T:
        """What `find` makes of a row, or made of it before when all that it read is still the very same."""
        with self._lock:
            known, old = self._rows_before.get(id(row), (None, None))
            if old is None or known is not row or not self._still(old):
                self._reading.append({})
                try:
                    value: Any = find(row)
                finally:
                    inputs = self._reading.pop()
                old = Note(value, inputs)
            self._rows[id(row)] = row, old
            for name, part in old.inputs.items():
                self._note(name, part)
            return cast(T, old.value)

    def _still(self, note: Note) -> bool:
        """Whether a value would come out the same now."""
        return all(self._now(part) is value for part, value in note.inputs.items())

    def _now(self, name: str) -> Any:
        """Present value of an input."""
        return getattr(self.case, name.removeprefix(CASE)) if name.startswith(CASE) else self._found(name).value

    def _found(self, name: str) -> Note:
        """The attribute of that name, computed where it has to be."""
        with self._lock:
            note = self._notes.get(name)
            if note is None:
                old = self._before.pop(name, None)
                if old is not None and self._still(old):
                    note = old
                else:
                    self._reading.append({})
                    try:
                        value = getattr(type(self), name).compute(self)
                    finally:
                        inputs = self._reading.pop()
                    note = Note(old.value if old is not None and same(value, old.value) else value, inputs)
                self._notes[name] = note
            return note


class derived(Generic[T]):  # noqa: N801  it is used as a decorator
    """An attribute of a `Tracked` that is computed once, from what it reads."""

    def __init__(self, compute: Callable[[Any], T]) -> None:
        self.compute = compute
        self.__doc__ = compute.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...

    @overload
    def __get__(self, instance: Tracked, owner: type) -> T: ...

    def __get__(self, instance: Tracked | None, owner: type) -> Self | T:
        if instance is None:
            return self
        note = instance._notes.get(self.name) or instance._found(self.name)
        instance._note(self.name, note.value)
        return cast(T, note.value)


class _Given:
    """A case that notes which of its parts are read."""

    def __init__(self, problem: Tracked) -> None:
        self._problem = problem

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._problem.case, name)
        self._problem._note(CASE + name, value)
        return value


def same(one: Any, other: Any) -> bool:
    """Whether two values are equal, arrays and what is made of them included."""
    if one is other:
        return True
    if type(one) is not type(other):
        return False
    if isinstance(one, np.ndarray):
        return one.dtype == other.dtype and np.array_equal(one, other)
    if hasattr(one, "same"):
        return bool(one.same(other))
    if isinstance(one, Mapping):
        return list(one) == list(other) and all(same(value, other[key]) for key, value in one.items())
    if isinstance(one, Sequence) and not isinstance(one, str):
        return len(one) == len(other) and all(same(a, b) for a, b in zip(one, other, strict=True))
    return bool(one == other)
