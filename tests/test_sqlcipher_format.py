"""What stands in an encrypted file, as the driver alone reads it, and what a question costs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from persistry import SQLCipherPersister, State, b_sqlcipher3
from persistry.errors import PersisterAccessError
from tests.stores.sqlcipher import PASSPHRASE, encrypted

NEEDLE = "Ada Lovelace, born 1815"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "steps.db"


@pytest.fixture
def persister(path: Path) -> Iterator[SQLCipherPersister]:
    with SQLCipherPersister.from_values(str(path), PASSPHRASE) as persister:
        persister.initialize()
        yield persister


def put(persister: SQLCipherPersister, app_id: str, sequence_id: int = 0) -> None:
    state = State({"person": NEEDLE})
    persister.save("tenant of Ada", app_id, sequence_id, "step", state, "completed")


def sql(path: Path, *statements: str) -> list[Any]:
    """What another program with the passphrase does to the file; the rows of the last statement."""
    with closing(encrypted(path, isolation_level=None)) as connection:
        return [connection.execute(statement).fetchall() for statement in statements][-1]


def asked(persister: SQLCipherPersister, query: str) -> Any:
    """What a query answers on the persister's own connection."""
    with persister._session.operation("test") as operation:
        return operation.fetch_all(query)


def test_no_file_holds_plain_text(persister: SQLCipherPersister, path: Path) -> None:
    """Neither the database nor the log of writes beside it, while it is open and afterwards."""
    for n in range(50):
        put(persister, f"app-{n}")
    for _ in range(2):
        files = sorted(it for it in path.parent.iterdir() if it.name.startswith(path.name))
        data = b"".join(it.read_bytes() for it in files)
        assert len(data) > 20_000
        for text in (NEEDLE, "tenant of Ada", "completed", "burr_state", "SQLite format 3"):
            assert text.encode() not in data, text
        persister.cleanup()
    assert [it.name for it in path.parent.iterdir()] == [path.name]


def test_a_file_with_another_passphrase(persister: SQLCipherPersister, path: Path) -> None:
    """Changed by its owner with the driver's own statement, while nobody has the file open."""
    put(persister, "app")
    persister.cleanup()
    sql(path, "PRAGMA rekey = 'another one'")
    with (
        SQLCipherPersister.from_values(str(path), PASSPHRASE) as old,
        pytest.raises(PersisterAccessError, match="passphrase"),
    ):
        old.load("tenant of Ada", "app")
    with SQLCipherPersister.from_values(str(path), "another one") as new:
        put(new, "app", 1)
        assert new.list_app_ids("tenant of Ada") == ["app"]
        found = new.load("tenant of Ada", "app", 0)
        assert found is not None and found["state"] == State({"person": NEEDLE})


def test_an_opened_connection_is_durable(persister: SQLCipherPersister, path: Path) -> None:
    assert asked(persister, "PRAGMA synchronous") == [(2,)]
    assert asked(persister, "PRAGMA journal_mode") == [("wal",)]
    with SQLCipherPersister.from_values(str(path), PASSPHRASE) as again:
        assert again.is_initialized()
        assert asked(again, "PRAGMA synchronous") == [(2,)]


def test_a_handed_in_connection_keeps_its_modes(path: Path) -> None:
    with closing(encrypted(path)) as connection:
        connection.execute("PRAGMA synchronous = NORMAL")
        persister = SQLCipherPersister(connection)
        persister.initialize()
        put(persister, "app")
        persister.cleanup()
        assert connection.execute("PRAGMA synchronous").fetchone() == (1,)
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)


def test_columns_and_keys(persister: SQLCipherPersister, path: Path) -> None:
    put(persister, "app", 7)
    assert sql(path, "SELECT type, name FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY 2") == [
        ("table", "burr_state"),
        ("trigger", "burr_state_deleted"),
        ("view", "burr_state_generation"),
        ("table", "burr_state_heads"),
        ("index", "burr_state_heads_order"),
        ("trigger", "burr_state_saved"),
    ]
    columns = "write_number, partition_key, app_id, sequence_id, position, status, state, codec"
    state = f'{{"person":"{NEEDLE}"}}'
    assert sql(path, f"SELECT {columns} FROM burr_state") == [
        (1, "tenant of Ada", "app", 7, "step", "completed", state, 0)
    ]


def test_no_question_reads_more_for_more_records(persister: SQLCipherPersister, path: Path) -> None:
    """The steps of SQLite's machine, with 20 records for each of 20 applications and with 1000."""
    names = b_sqlcipher3.names_of("burr_state")
    fill = (
        "WITH RECURSIVE n(n) AS (SELECT {0} UNION ALL SELECT n + 1 FROM n WHERE n < {1} - 1)"
        " INSERT INTO burr_state (partition_key, app_id, sequence_id, position, status, state,"
        " created_at, codec) SELECT 'p', 'app-' || (n % 20), n / 20, 's', 'completed', '{{}}',"
        " '2026-01-02 03:04:05.000006', 0 FROM n"
    )
    taken: dict[str, list[int]] = {}
    for first, last in ((0, 400), (400, 20_000)):
        sql(path, fill.format(first, last))
        with closing(encrypted(path)) as connection:
            for name, values in {
                "_LOAD_AT_SEQUENCE": ("p", "app-3", 7),
                "_LOAD_LATEST": ("p", "app-3", "p", "app-3"),
                "_LOAD_LATEST_OF_PARTITION": ("p",),
                "_LIST_APP_IDS_NEWEST": ("p", -1),
                "_LIST_PARTITION_KEYS_BY_NAME": (-1,),
            }.items():
                steps: list[int] = []
                connection.set_progress_handler(lambda steps=steps: steps.append(1), 1)
                query = getattr(b_sqlcipher3, name).format_map(names)
                assert connection.execute(query, values).fetchall()
                connection.set_progress_handler(None, 1)
                taken.setdefault(name, []).append(len(steps))
    for name, (few, many) in taken.items():
        assert many <= few + 20, f"{name}: {few} steps, then {many}"
