"""What is in a folder, for tests of saving."""

from pathlib import Path

from planner.saving import settled


def visible(folder: Path) -> list[str]:
    """Names in a folder, but for those that begin with a dot."""
    return sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))


def held(folder: Path) -> dict[str, bytes]:
    """What its files hold once all that was saved is in place."""
    with settled(folder):
        return {name: (folder / name).read_bytes() for name in visible(folder)}
