"""What every failure of MariaDB's drivers becomes: rows for `test_rules`."""

from __future__ import annotations

import struct

import pymysql
import pymysql.err

from persistry.errors import (
    CorruptStateError,
    NotInitializedError,
    PersisterAccessError,
    PersisterClosedError,
    PersisterError,
    PersisterUnavailableError,
    StateTooLargeError,
    StoreVersionError,
)
from tests.rules import Row

UNAVAILABLE, ACCESS, VERSION = PersisterUnavailableError, PersisterAccessError, StoreVersionError
SAVED, REPEAT = {"may_have_saved": True, "repeat": True}, {"repeat": True}
NO_DATABASE, STRANGE = "give another db_name", "other columns, keys or constraints"
RIGHTS, LOGIN, PRIMARY = "GRANT SELECT and INSERT", "user or password", "the primary"
NOBODY, LOST, ENDED = "no server answers there", "the connection was lost", "ended the statement"
REASON, FULL = "for the reason it gives", "as many connections"

# What the server says, by its number.
CODES: list[tuple[int, str, type[PersisterError], str, dict[str, bool]]] = [
    (1146, "Table 'd.burr_state' doesn't exist", NotInitializedError, "call initialize()", {}),
    (1046, "No database selected", UNAVAILABLE, NO_DATABASE, {}),
    (1049, "Unknown database 'd'", UNAVAILABLE, NO_DATABASE, {}),
    (1102, "Incorrect database name 'd '", UNAVAILABLE, NO_DATABASE, {}),
    (1048, "Column 'state' cannot be null", VERSION, STRANGE, {}),
    (1054, "Unknown column 'codec' in 'SELECT'", VERSION, STRANGE, {}),
    (1136, "Column count doesn't match value count at row 1", VERSION, STRANGE, {}),
    (1176, "Key 'ps_apps' doesn't exist in table 'burr_state'", VERSION, STRANGE, {}),
    (1216, "a foreign key constraint fails", VERSION, STRANGE, {}),
    (1264, "Out of range value for column 'sequence_id'", VERSION, STRANGE, {}),
    (1265, "Data truncated for column 'state'", VERSION, STRANGE, {}),
    (1292, "Truncated incorrect DOUBLE value", VERSION, STRANGE, {}),
    (1347, "'d.burr_state' is not of type 'BASE TABLE'", VERSION, STRANGE, {}),
    (1364, "Field 'owner' doesn't have a default value", VERSION, STRANGE, {}),
    (1366, "Incorrect string value for column `d`.`burr_state`.`state`", VERSION, STRANGE, {}),
    (1406, "Data too long for column 'state'", VERSION, STRANGE, {}),
    (1452, "Cannot add or update a child row", VERSION, STRANGE, {}),
    (1471, "The target table burr_state is not insertable-into", VERSION, STRANGE, {}),
    (1644, "a trigger says no", VERSION, STRANGE, {}),
    (3819, "Check constraint 'c' is violated.", VERSION, STRANGE, {}),
    (4025, "CONSTRAINT `c` failed for `d`.`burr_state`", VERSION, STRANGE, {}),
    (1059, "Identifier name 'ttt' is too long", PersisterError, "no table of this name", {}),
    (1103, "Incorrect table name 't '", PersisterError, "no table of this name", {}),
    (1005, 'errno: 36 "File name too long"', PersisterError, "no table of this name", {}),
    (1044, "Access denied for user 'u'@'%' to database 'd'", ACCESS, RIGHTS, {}),
    (1142, "INSERT command denied to user", ACCESS, RIGHTS, {}),
    (1143, "SELECT command denied to user for column", ACCESS, RIGHTS, {}),
    (1227, "Access denied; you need the SUPER privilege", ACCESS, RIGHTS, {}),
    (1045, "Access denied for user 'u'@'h' (using password: YES)", ACCESS, LOGIN, {}),
    (1130, "Host 'h' is not allowed to connect", ACCESS, LOGIN, {}),
    (1251, "Client does not support authentication protocol", ACCESS, LOGIN, {}),
    (1698, "Access denied for user 'root'@'localhost'", ACCESS, LOGIN, {}),
    (1820, "You must SET PASSWORD before executing this statement", ACCESS, LOGIN, {}),
    (1862, "Your password has expired", ACCESS, LOGIN, {}),
    (2059, "Authentication plugin 'b'x'' not configured", ACCESS, LOGIN, {}),
    (3118, "Account is locked.", ACCESS, LOGIN, {}),
    (4151, "Access denied, this account is locked", ACCESS, LOGIN, {}),
    (1290, "running with the --read-only option", ACCESS, PRIMARY, {}),
    (1792, "Cannot execute statement in a READ ONLY transaction", ACCESS, PRIMARY, {}),
    (1836, "Running in read-only mode", ACCESS, PRIMARY, {}),
    (1040, "Too many connections", UNAVAILABLE, FULL, {}),
    (1203, "already has more than 'max_user_connections'", UNAVAILABLE, FULL, {}),
    (1226, "has exceeded the 'max_user_connections' resource", UNAVAILABLE, FULL, {}),
    (2026, "SSL is required but the server doesn't support it", UNAVAILABLE, "TLS was not", {}),
    (3159, "Connections using insecure transport", UNAVAILABLE, "TLS was not agreed on", {}),
    (1129, "Host 'h' is blocked", UNAVAILABLE, NOBODY, {}),
    (2002, "Can't connect to local MySQL server", UNAVAILABLE, NOBODY, {}),
    (2003, "Can't connect to MySQL server on 'h'", UNAVAILABLE, NOBODY, {}),
    (2005, "Unknown MySQL server host", UNAVAILABLE, NOBODY, {}),
    (1153, "Got a packet bigger than", StateTooLargeError, "max_allowed_packet", {}),
    (1301, "Result of repeat() was larger", StateTooLargeError, "max_allowed_packet", {}),
    (2020, "Got packet bigger than", StateTooLargeError, "max_allowed_packet", {}),
    (1053, "Server shutdown in progress", UNAVAILABLE, LOST, SAVED),
    (1152, "Aborted connection", UNAVAILABLE, LOST, SAVED),
    (1159, "Got timeout reading communication packets", UNAVAILABLE, LOST, SAVED),
    (1160, "Got an error writing communication packets", UNAVAILABLE, LOST, SAVED),
    (1161, "Got timeout writing communication packets", UNAVAILABLE, LOST, SAVED),
    (1927, "Connection was killed", UNAVAILABLE, LOST, SAVED),
    (2006, "MySQL server has gone away", UNAVAILABLE, LOST, SAVED),
    (2013, "Lost connection to MySQL server during query", UNAVAILABLE, LOST, SAVED),
    (2055, "Lost connection to server at 'h', system error", UNAVAILABLE, LOST, SAVED),
    (4031, "The client was disconnected by the server", UNAVAILABLE, LOST, SAVED),
    (1020, "Record has changed since last read", UNAVAILABLE, "precedence", REPEAT),
    (1180, "Got error 149 during COMMIT", UNAVAILABLE, "precedence", REPEAT),
    (1213, "Deadlock found when trying to get lock", UNAVAILABLE, "precedence", REPEAT),
    (1205, "Lock wait timeout exceeded", UNAVAILABLE, ENDED, {}),
    (1317, "Query execution was interrupted", UNAVAILABLE, ENDED, {}),
    (1969, "(max_statement_time exceeded)", UNAVAILABLE, ENDED, {}),
    (3024, "maximum statement execution time exceeded", UNAVAILABLE, ENDED, {}),
    (1005, 'Can\'t create table (errno: 28 "No space left")', UNAVAILABLE, REASON, {}),
    (1021, "Disk full", UNAVAILABLE, REASON, {}),
    (1026, "Error writing file", UNAVAILABLE, REASON, {}),
    (1030, 'Got error 28 "No space left on device"', UNAVAILABLE, REASON, {}),
    (1037, "Out of memory; restart server", UNAVAILABLE, REASON, {}),
    (1041, "Out of memory.", UNAVAILABLE, REASON, {}),
    (1047, "WSREP has not yet prepared node for application use", UNAVAILABLE, REASON, {}),
    (1114, "The table 'burr_state' is full", UNAVAILABLE, REASON, {}),
    (1034, "Index for table 'burr_state' is corrupt", CorruptStateError, "damaged", {}),
    (1194, "Table 'burr_state' is marked as crashed", CorruptStateError, "damaged", {}),
    (1195, "is marked as crashed and last repair failed", CorruptStateError, "damaged", {}),
    (1712, "Index PRIMARY is corrupted", CorruptStateError, "damaged", {}),
    (1932, "Table doesn't exist in engine", CorruptStateError, "damaged", {}),
    (1115, "Unknown character set", PersisterError, "charset='utf8mb4'", {}),
    (1300, "Invalid utf8mb3 character string", PersisterError, "charset='utf8mb4'", {}),
]


def said(code: int, text: str) -> pymysql.err.MySQLError:
    """An exception as PyMySQL builds it from the server's answer."""
    try:
        pymysql.err.raise_mysql_exception(b"\xff" + struct.pack("<h", code) + text.encode())
    except pymysql.err.MySQLError as error:
        return error
    raise AssertionError("it raises always")


ROWS = [
    *(Row(said(code, text), error, words, **flags) for code, text, error, words, flags in CODES),
    Row(
        pymysql.InternalError("Packet sequence number wrong - got 80 expected 0"),
        UNAVAILABLE,
        "no MariaDB",
        **SAVED,
    ),
    Row(UnicodeError("encoding with 'idna' codec failed"), UNAVAILABLE, NOBODY),
    Row(UnicodeEncodeError("idna", "a..b", 2, 3, "label empty"), UNAVAILABLE, NOBODY),
    Row(
        UnicodeEncodeError("charmap", "☃", 0, 1, "character maps to <undefined>"),
        PersisterError,
        "charset='utf8mb4'",
    ),
    Row(pymysql.InterfaceError(0, ""), PersisterClosedError, "handed in has been closed"),
]
STRANGER = said(1064, "You have an error in your SQL syntax")
