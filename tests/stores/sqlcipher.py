"""SQLCipher: an encrypted file in the test's own directory."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import sqlcipher3

from persistry.conformance.support.column import Column
from tests.burr_sqlite import INDEX, TABLE

from .storage import FileStorage

# A key itself: to derive one from a passphrase takes a tenth of a second for each connection.
PASSPHRASE = f"x'{'5a' * 32}'"


class SQLCipherStore(FileStorage):
    def open(self, **options: Any) -> Any:
        return self.persister.from_values(self.path, PASSPHRASE, **options)

    def connect(self) -> Any:
        return encrypted(self.path)

    def over(self, connection: Any, **options: Any) -> Any:
        return self.persister(connection, **options)

    def is_usable(self, connection: Any) -> Any:
        try:
            return connection.execute("SELECT 1").fetchone() == (1,)
        except sqlcipher3.ProgrammingError:
            return False


def encrypted(path: Any, passphrase: str = PASSPHRASE, **options: Any) -> sqlcipher3.Connection:
    """A connection as its user opens it, for several threads, and with the key."""
    connection = sqlcipher3.connect(str(path), check_same_thread=False, **options)
    quoted = passphrase.replace("'", "''")
    connection.execute(f"PRAGMA key = '{quoted}'")
    return connection


class AdoptedStore(SQLCipherStore):
    """A table as Apache Burr makes it, in a file that its owner has encrypted; still empty."""

    def __init__(self, column: Column, directory: Path) -> None:
        super().__init__(column, directory)
        with closing(encrypted(self.path)) as connection:
            for statement in (TABLE, INDEX):
                connection.execute(statement.format(table="burr_state"))
            connection.commit()


STORES = {"SQLCipherPersister": SQLCipherStore, "SQLCipherPersister-adopted": AdoptedStore}
