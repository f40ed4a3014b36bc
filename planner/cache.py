"""Cache: what was worked out before, in a folder that is safe to delete; what is not there is worked out again.

Each entry is a file of its own that begins with the digest of its content: one that is damaged is as good as none.
"""

import hashlib
import os
from contextlib import suppress
from pathlib import Path

from platformdirs import user_cache_path

from planner.saving import write_bytes

PLACE = "PLANNER_CACHE"
"""Environment variable: the folder to use instead of the user's own; empty: nothing is kept."""
MOST = 20
"""Entries of a kind that are kept; the one used longest ago goes first."""
HEAD = hashlib.sha256().digest_size
"""Length of the digest that stands before the content [bytes]."""


def folder() -> Path | None:
    """Where entries stand; none where nothing is to be kept."""
    asked = os.environ.get(PLACE)
    if asked is None:
        return user_cache_path("measure-planner", appauthor=False)
    return Path(asked) if asked else None


def digest(*parts: str | bytes) -> str:
    """Fingerprint of all that an entry depends on."""
    found = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        found.update(len(data).to_bytes(8, "big"))
        found.update(data)
    return found.hexdigest()


def get(kind: str, key: str) -> bytes | None:
    """What was kept under a digest; none where there is nothing sound."""
    place = folder()
    if place is None:
        return None
    try:
        data = (place / kind / key).read_bytes()
        os.utime(place / kind / key)
    except OSError:
        return None
    return data[HEAD:] if hashlib.sha256(data[HEAD:]).digest() == data[:HEAD] else None


def put(kind: str, key: str, data: bytes) -> None:
    """Keep something under a digest; where that fails nothing is lost."""
    place = folder()
    if place is None:
        return
    with suppress(OSError):
        (place / kind).mkdir(parents=True, exist_ok=True)
        write_bytes(place / kind / key, hashlib.sha256(data).digest() + data)
        entries = sorted((place / kind).iterdir(), key=lambda entry: entry.stat().st_mtime)
        for entry in entries[:-MOST]:
            entry.unlink(missing_ok=True)
