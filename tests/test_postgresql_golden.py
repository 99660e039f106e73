"""What each generation left in PostgreSQL is opened, read and gone on with; all drivers.

The stores are dumps of `pg_dump --inserts`, without the settings of its session. Generation 0 is
what Apache Burr's statements made; the adopted one has been widened.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from persistry._formats.postgresql import FORMAT
from tests import golden_stores as golden
from tests.bad_input import Run, runner
from tests.postgresql import CLASSES, Database, database
from tests.servers import PostgreSQLServer

pytestmark = pytest.mark.usefixtures("postgresql_place")  # skips, or fails, where there is none

run = pytest.fixture(runner)
PATHS = golden.paths("postgresql")
ROWS = "SELECT xmin, ctid, partition_key, app_id, sequence_id, position, status, state, created_at"


@pytest.fixture(scope="module")
def server() -> Iterator[PostgreSQLServer]:
    with PostgreSQLServer() as server:
        yield server


@pytest.fixture
def own(server: PostgreSQLServer) -> Iterator[Database]:
    with database(server) as own:
        yield own


def generation_of(path: Path) -> int:
    return int(path.stem.removeprefix("generation_").removesuffix("-adopted"))


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
@pytest.mark.parametrize("colour", CLASSES)
def test_a_store_of_each_generation(own: Database, colour: str, path: Path, run: Run) -> None:
    own.sql(path.read_text(encoding="utf-8"))
    before = own.sql(f"{ROWS} FROM golden ORDER BY ctid")
    persister = own.open(colour, run, table_name=golden.NAME)
    is_current = generation_of(path) == FORMAT.generation
    assert persister.is_initialized() is is_current
    assert bool(persister.pending_migrations()) is not is_current
    persister.initialize()
    assert persister.is_initialized() and persister.pending_migrations() == []
    golden.check(persister, golden.RECORDS if generation_of(path) else golden.PLAIN)
    assert own.sql(f"{ROWS} FROM golden ORDER BY ctid")[: len(before)] == before
    persister.cleanup()


def test_a_table_of_generation_1_that_does_not_say_so(own: Database, run: Run) -> None:
    """As they were made before generations were written down."""
    own.sql((golden.FOLDER / "postgresql" / "generation_1.sql").read_text(encoding="utf-8"))
    own.sql("COMMENT ON INDEX golden_order IS NULL")
    persister = own.open("sync", run, table_name=golden.NAME)
    assert persister.is_initialized() and persister.pending_migrations() == []
    golden.check(persister, golden.RECORDS)
    persister.cleanup()


def test_each_generation_is_recorded() -> None:
    assert sorted({generation_of(path) for path in PATHS}) == list(range(FORMAT.generation + 1))
