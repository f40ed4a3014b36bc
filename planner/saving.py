"""Saving that is all or nothing, and lasts: whoever reads finds what stood there before, or all of what is new.

One file is written beside its place, then renamed. Several files of a folder are written into a folder of their own,
which one rename makes valid; only then do they move to their places. Whoever is killed in between leaves that folder
behind, and whoever reads or writes next moves the rest (`settled`): a saved answer is never half old and half new.
"""

import errno
import os
import secrets
import shutil
import stat
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

UNFINISHED = ".saving-"
"""Start of the names of files and folders that are being written."""
SAVED = ".saved"
"""Folder with files that are saved, but not yet in their places."""
GONE = ".gone"
"""Ending of the mark of a file that is to go."""
STALE = 3600.0
"""Age at which what a killed process left behind is removed [s]."""


def write_bytes(path: Path, data: bytes) -> None:
    """Write a file, all or nothing; raises OSError. A link keeps pointing to its file, a device is written to."""
    path = Path(os.path.realpath(path))
    if path.exists() and not path.is_file():
        with path.open("wb") as stream:  # /dev/stdout and its like; a folder refuses
            stream.write(data)
        return
    _sweep(path.parent)
    temporary = path.parent / (UNFINISHED + secrets.token_hex(8))
    try:
        _create(temporary, data)
        if path.exists():
            temporary.chmod(stat.S_IMODE(path.stat().st_mode))
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    sync_folder(path.parent)


def write_files(folder: Path, files: Mapping[str, bytes], gone: Iterable[str] = ()) -> None:
    """Write files into `folder` and remove those that are `gone`, all or nothing; raises OSError."""
    made = not folder.exists()
    folder.mkdir(parents=True, exist_ok=True)
    for name in files:
        if (folder / name).is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(folder / name))
    _sweep(folder)
    temporary = folder / (UNFINISHED + secrets.token_hex(8))
    try:
        temporary.mkdir()
        for name, data in [*files.items(), *((name + GONE, b"") for name in gone)]:
            _create(temporary / name, data)
        sync_folder(temporary)
        with alone(folder):
            _move(folder)  # what somebody else saved comes first
            temporary.replace(folder / SAVED)
            sync_folder(folder)
            _move(folder)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        if made:
            _discard(folder)
        raise


@contextmanager
def settled(folder: Path) -> Iterator[None]:
    """Everything saved is in its place, and nobody saves while this is held; raises OSError."""
    while True:
        with alone(folder, shared=True):
            if not (folder / SAVED).is_dir():
                yield
                return
        with alone(folder):  # its writer was killed
            _move(folder)


def _move(folder: Path) -> None:
    """Move what was saved into its place."""
    saved = folder / SAVED
    try:
        names = sorted(path.name for path in saved.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return
    for name in names:
        with suppress(FileNotFoundError):  # where folders cannot be locked another process may be faster
            if name.endswith(GONE):
                (folder / name.removesuffix(GONE)).unlink(missing_ok=True)
                (saved / name).unlink()
            else:
                (saved / name).replace(folder / name)
    sync_folder(folder)
    _discard(saved)


@contextmanager
def alone(folder: Path, shared: bool = False) -> Iterator[None]:
    """One process at a time, or several that only read; where the system cannot lock a folder, nobody waits."""
    try:
        import fcntl  # noqa: PLC0415  not on every system

        handle = os.open(folder, os.O_RDONLY)
    except (ImportError, OSError):
        yield
        return
    try:
        with suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_SH if shared else fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def sync_folder(folder: Path) -> None:
    """Make a rename last through a power cut, where the system can."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    with suppress(OSError):
        os.fsync(handle)
    os.close(handle)


def _create(path: Path, data: bytes) -> None:
    with path.open("xb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())


def _discard(folder: Path) -> None:
    """Remove a folder if it is empty."""
    with suppress(OSError):
        folder.rmdir()


def _sweep(folder: Path) -> None:
    """Remove what processes killed long ago left unfinished."""
    for path in folder.glob(UNFINISHED + "*"):
        try:
            if time.time() - path.lstat().st_mtime > STALE:
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        except OSError:
            continue
