"""`python -m persistry ddl`: what it prints makes what `initialize()` makes."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg2
import pytest
import sqlcipher3

from persistry import MariaDBPersister, SQLCipherPersister, SQLitePersister
from persistry.__main__ import main
from persistry._formats import postgresql
from tests.burr_sqlite import Burr
from tests.stores.mariadb import MariaDBPlace
from tests.stores.postgresql import PostgreSQLPlace

NAMES = ["burr_state", "Mixed two", "quo\"te's", "per%s{cent}", "new\n-- line\r;x"]
SCHEMA = "SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY 1, 2"


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["ddl", *arguments]) == 0
    return capsys.readouterr().out


def steps_of(script: str) -> list[str]:
    """What stands between blank lines: a statement, and above it when it is wanted."""
    return script.strip().split("\n\n")[1:]


def follow(cursor: Any, step: str) -> None:
    """What whoever runs the database does: ask, where a comment says so, and then run it."""
    asked = [line.removeprefix("--") for line in step.splitlines() if line.startswith("--")]
    if asked:
        cursor.execute("\n".join(asked[1:]))
        if not cursor.fetchone()[0]:
            return
    cursor.execute(step)


def schema(path: Path, driver: Any = sqlite3, key: str = "") -> list[Any]:
    with closing(driver.connect(str(path))) as connection:
        if key:
            connection.execute(key)
        found = connection.execute(SCHEMA).fetchall()
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        return [[text and text.strip() for text in row] for row in found]


@pytest.mark.parametrize("table", NAMES)
def test_sqlite(capsys: pytest.CaptureFixture[str], tmp_path: Path, table: str) -> None:
    script = printed(capsys, "sqlite", "--table", table)
    with closing(sqlite3.connect(tmp_path / "script.db")) as connection:
        connection.executescript(script)
    with SQLitePersister(str(tmp_path / "code.db"), table) as persister:
        persister.initialize()
    assert schema(tmp_path / "script.db") == schema(tmp_path / "code.db")
    with SQLitePersister(str(tmp_path / "script.db"), table) as persister:
        assert persister.is_initialized()


def test_sqlite_from_what_burr_made(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    for name in ("script", "code"):
        burr = Burr(tmp_path / f"{name}.db")
        burr.initialize()
        burr.save("app", 1, {"n": 1})
    script = printed(capsys, "sqlite", "--from-generation", "0")
    with closing(sqlite3.connect(tmp_path / "script.db")) as connection:
        connection.executescript(script)
    with SQLitePersister(str(tmp_path / "code.db")) as persister:
        for pending in persister.pending_migrations():
            for statement in pending.statements:
                assert f"{statement};" in script
        persister.initialize()
    assert schema(tmp_path / "script.db") == schema(tmp_path / "code.db")
    with SQLitePersister(str(tmp_path / "script.db")) as persister:
        assert persister.pending_migrations() == []
        assert persister.list_app_ids("p") == ["app"]


def test_sqlcipher(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    script, key = printed(capsys, "sqlcipher", "--table", 'ste"ps'), "PRAGMA key = 'secret'"
    with closing(sqlcipher3.connect(str(tmp_path / "script.db"))) as connection:
        connection.execute(key)
        connection.executescript(script)
    with SQLCipherPersister.from_values(str(tmp_path / "code.db"), "secret", 'ste"ps') as persister:
        persister.initialize()
    one, other = (schema(tmp_path / f"{it}.db", sqlcipher3, key) for it in ("script", "code"))
    assert one == other


@pytest.mark.parametrize("table", ["app.steps", 'Mixed "two"', "per%s{cent}", "apo's;trophe"])
def test_postgresql(
    capsys: pytest.CaptureFixture[str], postgresql_place: PostgreSQLPlace, table: str
) -> None:
    """In a transaction that is rolled back: nothing of it stays on the server."""
    script = printed(capsys, "postgresql", "--table", table)
    assert script.count("\nBEGIN;") == script.count("\nCOMMIT;") == 1
    assert "timeout" not in script
    connection = psycopg2.connect(postgresql_place.url)
    try:
        with connection.cursor() as cursor:
            cursor.execute("CREATE SCHEMA app")
            names = postgresql.names_of(table)
            for step in steps_of(script)[2:-1]:  # it is in a transaction already
                follow(cursor, step)
            cursor.execute(postgresql.FORMAT.opening.format_map(names))
            assert cursor.fetchone()[0] == 1
    finally:
        connection.rollback()
        connection.close()


def test_mariadb(capsys: pytest.CaptureFixture[str], mariadb_place: MariaDBPlace) -> None:
    table = "ddl `odd`'s %s"
    script = printed(capsys, "mariadb", "--table", table)
    with closing(
        MariaDBPersister.from_values(**mariadb_place.parts, table_name=table)
    ) as persister:
        connection = persister.connection
        try:
            with connection.cursor() as cursor:
                for statement in script.split(";\n"):
                    if statement.strip():
                        cursor.execute(statement)
            assert persister.is_initialized()
            assert persister.pending_migrations() == []
        finally:
            with connection.cursor() as cursor:
                cursor.execute("DROP TABLE IF EXISTS `ddl ``odd``'s %s`")


def test_no_driver_is_imported(tmp_path: Path) -> None:
    """Whoever runs the database need not have what the application has."""
    code = (
        "import sys; from persistry.__main__ import BACKENDS, main\n"
        "for name in BACKENDS: main(['ddl', name])\n"
        "drivers = {'sqlite3', 'aiosqlite', 'psycopg2', 'psycopg', 'asyncpg', 'pymysql',"
        " 'aiomysql', 'sqlcipher3'}\n"
        "assert not drivers & sys.modules.keys(), drivers & sys.modules.keys()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("CREATE TABLE IF NOT EXISTS") >= 4


MISTAKES = {
    "redis": "no store with tables is called 'redis'; tables have mariadb, postgresql",
    "sqlit": "did you mean sqlite?",
    "sqlite --table a.b.c": "--table: table_name must be 'table' or 'schema.table'",
    f"postgresql --table {'x' * 60}": "--table: ",
    "sqlite --from-generation 7": "--from-generation: no way leads from 7; give 0 or 1",
    "mariadb --from-generation 0": "--from-generation: no way leads from 0; give 1",
    "sqlite --from-generation one": "invalid int value: 'one'",
    "": "backend",
}


@pytest.mark.parametrize("arguments", MISTAKES)
def test_mistakes(capsys: pytest.CaptureFixture[str], arguments: str) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["ddl", *arguments.split()])
    out, err = capsys.readouterr()
    assert (ended.value.code, out) == (2, "")
    assert MISTAKES[arguments] in err
    assert "Traceback" not in err


def test_what_is_current_needs_nothing() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "persistry", "ddl", "sqlite", "--from-generation", "1"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0
    assert all(line.startswith("--") for line in done.stdout.splitlines())
