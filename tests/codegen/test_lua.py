"""Scripts in Lua: which names nothing declares, and what a migration's step is given."""

from __future__ import annotations

import re

import pytest

from codegen.nodes import Text
from codegen.printers import key_form, key_glob, key_names
from codegen.problems import Code, Report, Span
from codegen.resolve import lua, redis_keys

HERE = Span("spec/backends/redis.yaml", 1, 1)


def text(value: str) -> Text:
    return Text(value, HERE)


def undeclared(script: str, *keys: str) -> list[str]:
    report = Report()
    lua.script(text("one"), [text(it) for it in keys], [], text(""), text(script), report)
    assert {it.code for it in report.problems} <= {Code.LUA05}
    return re.findall(r"declares '(\w+)'", " ".join(it.message for it in report.problems))


@pytest.mark.parametrize(
    "script",
    [
        "return redis.call('GET', key)",
        "local a, b = 1, 2\nreturn {a, b, key}",
        "local a\na = key\nreturn a",
        "local function f(a, b) return a + b end\nreturn f(#key, 1)",
        "local t = {}\nfunction t.f(a) return a end\nreturn t.f(key), t:f()",
        "return (function(...) return ... end)(key)",
        "for n, one in ipairs({key}) do redis.call('DEL', one, n) end",
        "for n = 1, #key do redis.call('DEL', key, n) end",
        "local t = {a = key, ['b'] = 1; c = 2}\nreturn t.a .. t.b",
        '-- nobody\n--[[ nobody\nat all ]] return key .. \'nobody\' .. "no \\" body" .. [[nobody]]',
        "local ok, it = pcall(cjson.decode, key)\nif not ok then return nil end\nreturn it",
        "repeat local n = tonumber(key) until n ~= 0x1F or n == 1e5\nreturn key",
        "return key == redis.sha1hex('') and math.floor(1.5) or string.format('%d', 1)",
    ],
)
def test_what_is_declared_is_let_through(script: str) -> None:
    assert undeclared(script, "key") == []


@pytest.mark.parametrize(
    ("script", "names"),
    [
        ("return redis.call('RENAME', key, heads)", ["heads"]),
        ("local a = key\nreturn b, b, c", ["b", "c"]),
        ("local a = kye\nreturn key, a", ["kye"]),
        ("counted = 1\nreturn key", ["counted"]),
        ("local t = {a = b}\nreturn key .. t.a", ["b"]),
        ("local t = {a, b = key}\nreturn t", ["a"]),
        ("local a, b\nfor n in pairs(all) do a = n end\nreturn key, a, b", ["all"]),
        ("local function f(a) return a end\nreturn g(key), f", ["g"]),
        ("if a == key then return 1 end", ["a"]),
    ],
)
def test_what_nothing_declares_is_told_once(script: str, names: list[str]) -> None:
    assert undeclared(script, "key") == names


def test_a_local_of_the_same_name_is_no_use() -> None:
    report = Report()
    script = text("local other = 1\nreturn other")
    lua.script(text("one"), [text("key")], [], text(""), script, report)
    assert [it.code for it in report.problems] == [Code.LUA01]


def test_a_return_in_a_text_is_none() -> None:
    assert not lua.answers("redis.call('SET', key, 'return 1') -- return")
    assert lua.answers("if key then return end")


@pytest.mark.parametrize(
    ("template", "glob", "key", "others"),
    [
        ("h", "h", "h", ["h1", "hh", "x:h"]),
        ("a.b-c", "a.b-c", "a.b-c", ["axb-c"]),
        (
            "r:{app_id}:{sequence_id:019}",
            "r:*:*",
            "r:a%3Ab:" + "7".zfill(19),
            ["r:a:7", f"r:a:b:{7:019}", f"r:a:{7:019}:t", f"r:{{}}:{7:019}", f"R:a:{7:019}"],
        ),
        (
            "r:{app_id}:{position:sha1}",
            "r:*:*",
            "r:a:" + "0f" * 20,
            ["r:a:" + "0F" * 20, "r:a:" + "0f" * 19],
        ),
        ("s:{app_id}:{app_id}", "s:*:*", "s:a:a", ["s:a:b"]),
    ],
)
def test_the_form_of_a_key(template: str, glob: str, key: str, others: list[str]) -> None:
    report = Report()
    found = redis_keys.of_a_slot(text("key"), text(template), report)
    assert not report.problems
    assert key_glob(found) == glob
    match = re.fullmatch(key_form(found), key)
    assert match is not None
    assert key_names(found).format_map(match.groupdict()) == key
    assert [it for it in others if re.fullmatch(key_form(found), it)] == []
