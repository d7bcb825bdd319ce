"""Opening the database: what is ours, which schema, which guarantees.

The writer runs in WAL mode with ``synchronous=FULL``: what a call returned from survives a power cut. It
alone moves pages from the log into the database (readers have ``wal_autocheckpoint=0`` and ``mode=ro``),
because two connections that do so at once can lose data in SQLite before 3.51.3.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

from store.errors import StoreError, explained

DATABASE = "minegap.db"

APPLICATION_ID = 0x4D474150
"""``MGAP``: marks the file as ours, so that another program's database is never taken for a store."""

SCHEMA_VERSION = 11
"""Number of migrations; kept in ``user_version``, so that a reader need not load what migrates."""

_BUSY_SECONDS = 10.0
"""How long to wait for another program (a database browser, a backup) that holds the file locked."""


_NETWORK_DISKS = {"nfs", "nfs4", "cifs", "smb3", "smbfs", "fuse.sshfs"}


def refuse_old_sqlite() -> None:
    """Strict tables came with SQLite 3.37; some long-lived systems have an older one.

    Raises:
        StoreError: naming the version that Python was built with (exit 3).
    """
    if sqlite3.sqlite_version_info < (3, 37):
        raise StoreError(
            f"This Python uses SQLite {sqlite3.sqlite_version}, and the store needs 3.37 or newer: run MineGap "
            "with a newer Python.",
            3,
        )


def refuse_network_disk(folder: Path) -> None:
    """A write-ahead log needs memory shared between its processes, which a network file system has not.

    Raises:
        StoreError: the directory lies on one (exit 2).
    """
    mounts = Path("/proc/self/mountinfo")
    if not mounts.exists():  # not Linux
        return
    device = os.stat(folder).st_dev
    for line in mounts.read_text(errors="replace").splitlines():
        mount, _, source = line.partition(" - ")
        kind = source.split(" ", 1)[0]
        if kind in _NETWORK_DISKS and mount.split(" ")[2] == f"{os.major(device)}:{os.minor(device)}":
            raise StoreError(
                f"The store {folder} lies on a network file system ({kind}), where it cannot be kept whole: "
                "choose a [store] path on a local disk.",
                2,
            )


def connect_writer(folder: Path, *, check: bool) -> sqlite3.Connection:
    """Open, create or migrate the database; ``check`` reads it through for damage first.

    Raises:
        StoreError: exit 2 for a newer schema, another program's file or a damaged one; exit 3 for the disk.
    """
    with explained(folder):
        # Made by us for its permissions: SQLite would let everybody read it, and gives its log the same ones.
        with suppress(FileExistsError):
            os.close(os.open(folder / DATABASE, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        connection = sqlite3.connect(
            folder / DATABASE, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        try:
            version = _version(connection, folder)
            if check:
                _refuse_damaged(connection, folder)
            _set_guarantees(connection, folder)
            if version < SCHEMA_VERSION:
                _migrate(connection)
        except BaseException:
            connection.close()
            raise
    return connection


def connect_reader(folder: Path) -> sqlite3.Connection:
    """Open the database for reading only; beside a running writer, too.

    Raises:
        StoreError: exit 2 where there is no store, or one with another schema than this program's.
    """
    path = folder / DATABASE
    if not path.is_file():
        raise _no_store(folder)
    # On a read-only medium SQLite cannot make the small files beside the database that readers and a writer
    # share; nobody can write there, so it may be told that the file will not change.
    still = not os.access(folder, os.W_OK) and not path.with_name(DATABASE + "-wal").exists()
    with explained(folder):
        connection = sqlite3.connect(
            f"file:{quote(str(path))}?{'immutable=1' if still else 'mode=ro'}",
            uri=True,
            timeout=_BUSY_SECONDS,
            isolation_level=None,
            check_same_thread=False,
        )
        try:
            connection.execute("PRAGMA wal_autocheckpoint=0")
            connection.execute("PRAGMA trusted_schema=OFF")  # a store may come from elsewhere
            version = _version(connection, folder)
            if version == 0:
                raise _no_store(folder)
            if version < SCHEMA_VERSION:
                raise StoreError(
                    f"The store {folder} was made by an older MineGap: open it once for writing "
                    "(mine or resume a session in it) to bring it up to date.",
                    2,
                )
            # A window on the search index, in this connection's own memory: which words the prompts hold.
            connection.execute(
                "CREATE VIRTUAL TABLE temp.words USING fts5vocab('main', 'prompts_fts', 'row')"
            )
            connection.execute("PRAGMA query_only=ON")
        except BaseException:
            connection.close()
            raise
    return connection


def _no_store(folder: Path) -> StoreError:
    return StoreError(
        f"There is no store at {folder}: mine something first, or choose another [store] path.", 2
    )


def _pragma(connection: sqlite3.Connection, name: str) -> object:
    return connection.execute(f"PRAGMA {name}").fetchone()[0]


def _version(connection: sqlite3.Connection, folder: Path) -> int:
    """The schema's version, 0 for an empty file; refuses what is not ours or newer than we are."""
    version = int(str(_pragma(connection, "user_version")))
    owner = _pragma(connection, "application_id")
    empty = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0
    if owner != APPLICATION_ID and not (owner == 0 and empty):
        raise StoreError(
            f"{folder / DATABASE} is another program's database: choose another [store] path.", 2
        )
    if version > SCHEMA_VERSION:
        raise StoreError(
            f"The store {folder} was written by a newer MineGap (its schema is {version}, this program knows "
            f"{SCHEMA_VERSION}): update MineGap or choose another [store] path.",
            2,
        )
    return version


def _refuse_damaged(connection: sqlite3.Connection, folder: Path) -> None:
    finding = " ".join(
        str(_pragma(connection, "integrity_check(1)")).split()
    )  # it may run over several lines
    if finding != "ok":
        raise StoreError(
            f"{folder / DATABASE} is damaged ({finding}): restore a copy, or rescue its rows with "
            "`sqlite3 minegap.db .recover` (the image files beside it are unharmed).",
            2,
        )


def _set_guarantees(connection: sqlite3.Connection, folder: Path) -> None:
    if _pragma(connection, "journal_mode=WAL") != "wal":
        raise StoreError(
            f"The file system of {folder} cannot hold a write-ahead log: choose a [store] path on a local "
            "disk.",
            3,
        )
    connection.execute(f"PRAGMA application_id={APPLICATION_ID}")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA foreign_keys=ON")
    connection.execute(
        "PRAGMA recursive_triggers=ON"
    )  # a REPLACE, too, must meet the triggers that keep rows


def _migrate(connection: sqlite3.Connection) -> None:
    # Only here, since it costs every start of the program 0.15 s and a store is migrated once.
    from sqlite_utils import Database

    from store.migrations import migrations

    # A step that builds a table anew would else delete, row by row, what other tables refer to.
    connection.execute("PRAGMA foreign_keys=OFF")
    migrations.apply(Database(connection, execute_plugins=False))
    connection.execute(f"PRAGMA user_version={SCHEMA_VERSION}")
    connection.execute("PRAGMA foreign_keys=ON")
