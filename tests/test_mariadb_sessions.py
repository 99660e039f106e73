"""What MariaDB keeps, whatever its settings are and whoever opened the connection."""

from __future__ import annotations

import re
import time
from datetime import datetime
from typing import Any

import aiomysql
import pymysql
import pymysql.cursors
import pytest

from persistry import State
from persistry.errors import (
    CorruptStateError,
    PersisterClosedError,
    PersisterError,
    StateConflictError,
    StateTooLargeError,
)
from tests.bad_input import OPERATIONS, PASSWORD, Calls, Run, runner, works
from tests.mariadb import CLASSES, STORE, Admin, openers
from tests.sql_servers import Make, admins, call, damaged, initialized, makers, servers

pytestmark = pytest.mark.usefixtures("mariadb_place")  # skips, or fails, where there is none

run = pytest.fixture(runner)
store = pytest.fixture(scope="module")(lambda: STORE)
server = pytest.fixture(scope="module")(servers)
colour = pytest.fixture(params=CLASSES)(lambda request: request.param)
admin = pytest.fixture(admins)
make = pytest.fixture(makers)
persister = pytest.fixture(initialized)
hand_in = pytest.fixture(openers)


# What is stored there

DAMAGE = {
    "no UTF-8": "state = X'FF'",
    "a position that is no UTF-8": "position = X'FF'",
    "a status that is no UTF-8": "status = X'FF'",
    "no time": "created_at = 0",
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_record_is_named_and_kept(persister: Calls, admin: Admin, damage: str) -> None:
    key = "time" not in damage and "position" not in damage
    damaged(persister, admin, "SET sql_mode = ''", DAMAGE[damage], key=key)


def test_an_application_whose_name_is_no_text(persister: Calls, admin: Admin) -> None:
    persister.put(n=1)
    admin.run("UPDATE burr_state SET app_id = X'FF'")
    with pytest.raises(CorruptStateError, match=r"^list_app_ids of partition 'p'"):
        persister.list_app_ids("p")


@pytest.mark.parametrize("type_", ["VARCHAR(512)", "INT"])
def test_a_column_that_holds_no_bytes(persister: Calls, admin: Admin, type_: str) -> None:
    """A text has gone through the session's character set, and might be another one."""
    persister.put(n=1)
    admin.run("UPDATE burr_state SET status = '5'", f"ALTER TABLE burr_state MODIFY status {type_}")
    for app_id in ("app", None):
        with pytest.raises(CorruptStateError, match=r"^load of .*'p', app 'app'.* is no bytes"):
            persister.get(app_id)


@pytest.mark.parametrize("size", [17, 40])
def test_a_state_too_large_for_the_server(persister: Calls, size: int) -> None:
    largest = f"a statement of this server has {16 * 2**20} at the most"
    with pytest.raises(StateTooLargeError, match=largest):
        persister.put(text="x" * size * 2**20)
    with pytest.raises(StateTooLargeError, match=largest):
        persister.put(text='"' * 9 * 2**20)
    works(persister)
    persister.put("large", 1, text="x" * (16 * 2**20 - 20_000))
    assert len(persister.get("large")["text"]) == 16 * 2**20 - 20_000


def test_a_large_state_outlives_a_lower_limit(make: Make, admin: Admin, persister: Calls) -> None:
    persister.put("large", 1, text="x" * 2**21)
    admin.run("SET GLOBAL max_allowed_packet = 1048576")
    try:
        other = make()
        assert len(other.get("large")["text"]) == 2**21
        with pytest.raises(StateTooLargeError, match="1048576 at the most"):
            other.put("large", 2, text="x" * 2**20)
    finally:
        admin.run("SET GLOBAL max_allowed_packet = 16777216")


@pytest.mark.parametrize("key", ["nul\0", "\ud800", "☃" * 300])
def test_keys_that_no_record_has(persister: Calls, key: str) -> None:
    assert persister.get(key) is None
    assert persister.load(key, "app") is None
    assert persister.list_app_ids(key) == []


SIMILAR = ["a", "A", "á", "a ", " a", "a\t", "\uff41", "a\u0301", "ß", "ss", "", "\ufb01", "fi"]


def test_similar_keys_are_different(persister: Calls) -> None:
    for n, key in enumerate(SIMILAR):
        persister.put(key, n, key=key)
    for n, key in enumerate(SIMILAR):
        assert persister.get(key) == {"key": key}
        assert persister.get(key, n) == {"key": key}
    assert persister.list_app_ids("p") == SIMILAR[::-1]


# The session's and the server's settings


SETTINGS = [
    "sql_mode = ''",
    "sql_mode = 'ANSI'",
    "sql_mode = 'TRADITIONAL,NO_BACKSLASH_ESCAPES,PAD_CHAR_TO_FULL_LENGTH'",
    "sql_mode = 'ORACLE'",
    "sql_mode = 'MSSQL'",
    "sql_mode = 'PIPES_AS_CONCAT,EMPTY_STRING_IS_NULL,ANSI_QUOTES'",
    "time_zone = '-09:00'",
    "default_storage_engine = 'MyISAM'",
    "collation_connection = 'utf8mb4_bin', collation_database = 'latin1_german2_ci'",
    "tx_isolation = 'SERIALIZABLE'",
    "tx_isolation = 'READ-UNCOMMITTED'",
    "completion_type = 'CHAIN'",
    "sql_select_limit = 1, insert_id = 7",
    "sql_safe_updates = ON, max_join_size = 1000000, big_tables = ON",
]


@pytest.mark.parametrize("setting", SETTINGS)
def test_settings_that_do_not_matter(make: Make, admin: Admin, setting: str) -> None:
    persister = make(connect_kwargs={"init_command": f"SET SESSION {setting}"})
    plain = make()
    persister.initialize()
    text = "'\"\\%_\n\t\0\x1a ünï ☃ 𝄞"
    persister.put("app", 1, text=text)
    plain.put("app", 2, text=text)
    persister.save(None, "", 2, "", State({}), "")
    assert persister.load("", "")["position"] == ""
    for it in (persister, plain):
        assert it.get("app", 1) == it.get("app", 2) == {"text": text}
        it.put("app", 1, text=text)
        with pytest.raises(StateConflictError):
            it.put("app", 1, text="")
        assert it.load("p", "app")["sequence_id"] == 2
        began = it.load("p", "app", 1)["created_at"]
        assert abs(time.time() - _seconds(began)) < 60
    ((engine,),) = admin.run(
        f"SELECT engine FROM information_schema.tables WHERE table_schema = '{admin.database}'"
    )
    assert engine == "InnoDB"


def _seconds(iso: str) -> float:
    return datetime.fromisoformat(iso).timestamp()


# What is handed in


@pytest.mark.parametrize("wrong", [None, 1, "mariadb://root:hunter2@there", object()])
def test_what_is_no_connection(colour: str, wrong: Any) -> None:
    with pytest.raises((TypeError, ValueError), match="connection") as caught:
        CLASSES[colour](wrong)
    assert PASSWORD not in str(caught.value)


def test_the_other_colours_connection(colour: str, admin: Admin, run: Run) -> None:
    words = admin.words()
    if colour == "async":
        connection = pymysql.connect(**words)
    else:
        connection = run(aiomysql.connect(db=words.pop("database"), **words))
    with pytest.raises(TypeError, match="connection"):
        CLASSES[colour](connection)
    connection.close()


@pytest.mark.parametrize("charset", ["utf8mb4", "utf8", "utf8mb3", "latin1"])
def test_any_character_set_reads_all(
    colour: str, hand_in: Any, persister: Calls, run: Run, charset: str
) -> None:
    """Texts that the connection cannot hold are read all the same, and refused where written."""
    everything = {"text": "ünï ☃ 𝄞"}
    persister.put("ünï ☃ 𝄞", 1, **everything)
    other = Calls(CLASSES[colour](hand_in(charset=charset)), run)
    assert other.list_app_ids("p") == ["ünï ☃ 𝄞"]
    assert other.get(None) == everything
    other.put("plain", 1, text="plain")
    assert persister.get("plain") == {"text": "plain"}
    other.put("ü", 2, text="ü")
    assert persister.get("ü") == other.get("ü") == {"text": "ü"}
    if not charset.startswith("utf8") or charset == "utf8mb3":
        for app, value in (("𝄞", "x"), ("app", "𝄞")):
            with pytest.raises(PersisterError, match=r"save of .*cannot (hold|carry) this text"):
                other.put(app, n=value)
    works(other)
    assert persister.list_app_ids("elsewhere") == []


@pytest.mark.parametrize(
    "options",
    [
        *({"charset": name} for name in ("sjis", "ujis", "gbk", "euckr", "big5", "cp1251")),
        *({"init_command": f"SET NAMES {name}"} for name in ("gbk", "latin1")),
        {"init_command": "SET character_set_connection = latin1"},
        {"init_command": "SET character_set_results = latin1"},
        {"init_command": "SET completion_type = 'CHAIN'"},
        {"init_command": "SET sql_mode = 'EMPTY_STRING_IS_NULL'"},
    ],
    ids=str,
)
def test_a_connection_that_changes_what_is_said(
    colour: str, hand_in: Any, persister: Calls, run: Run, options: dict[str, str]
) -> None:
    """A letter that ends in a backslash's byte, or becomes another; or a commit that begins."""
    persister.put("app", 1, n=1)
    connection = hand_in(**{"charset": "utf8mb4", **options})
    other = Calls(CLASSES[colour](connection), run)
    for text in ("¥' OR 1=1 -- ", "中' OR 1=1 -- ", "각"):
        for operation in (other.put, other.get):
            with pytest.raises(PersisterError, match="open it with charset='utf8mb4'"):
                operation(text)
    assert persister.list_app_ids("p") == ["app"]
    assert persister.get() == {"n": 1}


@pytest.mark.parametrize("kind", ["DictCursor", "SSCursor", "SSDictCursor"])
def test_any_cursor_of_the_drivers(
    colour: str, hand_in: Any, persister: Calls, run: Run, kind: str
) -> None:
    cursors = pymysql.cursors if colour == "sync" else aiomysql
    other = Calls(CLASSES[colour](hand_in(cursorclass=getattr(cursors, kind))), run)
    works(other)
    with pytest.raises(StateConflictError):
        other.put("works", 1, n=2)
    works(persister)


def test_a_connection_with_other_flags(colour: str, hand_in: Any, make: Make, run: Run) -> None:
    """FOUND_ROWS makes the server count rows that a statement has not changed."""
    found_rows = pymysql.constants.CLIENT.FOUND_ROWS
    persister = Calls(CLASSES[colour](hand_in(client_flag=found_rows)), run)
    persister.initialize()
    persister.put(n=1)
    persister.put(n=1)
    with pytest.raises(StateConflictError):
        persister.put(n=2)


def test_a_snapshot_does_not_age(colour: str, hand_in: Any, persister: Calls, run: Run) -> None:
    """Its owner's transaction is committed, and none is kept open between two loads."""
    connection = hand_in(autocommit=False)
    reader = Calls(CLASSES[colour](connection), run)
    for n in range(3):
        persister.put("app", n, n=n)
        assert reader.get() == {"n": n}


def test_a_connection_that_was_closed(colour: str, hand_in: Any, make: Make, run: Run) -> None:
    connection = hand_in()
    persister = Calls(CLASSES[colour](connection), run)
    persister.initialize()
    connection.close()
    for operation in OPERATIONS:
        with pytest.raises(PersisterClosedError, match=rf"^{operation}\b.*handed in"):
            call(operation, persister)


def test_what_the_driver_does_not_know(make: Make) -> None:
    with pytest.raises(TypeError, match=r"connect_kwargs: .*nonsense"):
        make(connect_kwargs={"nonsense": 1})
    with pytest.raises(ValueError, match=r"connect_kwargs: charset"):
        make(connect_kwargs={"charset": "latin1"})
    assert re.fullmatch(r"<\w+ 127\.0\.0\.1:\d+/\w+>", repr(make().persister))
