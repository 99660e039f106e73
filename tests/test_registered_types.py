"""What an application registers: checked, looked up by exact class, errors told with a place."""

from __future__ import annotations

import copy
import dataclasses
import enum
import os
import pickle
import subprocess
import sys
import threading
from collections import OrderedDict
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import pydantic
import pytest

import persistry
from persistry import registry
from persistry._runtime import tagging
from persistry._runtime.codec import decode, encode
from persistry._runtime.same import same
from persistry._runtime.tags import UnregisteredTypeError, Written
from persistry.errors import CorruptStateError, StateNotSerializableError


@pytest.fixture(autouse=True)
def _registrations(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test registers is forgotten after it."""
    monkeypatch.setattr(registry, "by_class", dict(registry.by_class))
    monkeypatch.setattr(registry, "by_name", dict(registry.by_name))


def back(value: Any) -> Any:
    encoded = encode({"value": value})
    return decode(encoded.data, encoded.codec)["value"]


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Rights(enum.IntFlag):
    READ = 1
    WRITE = 2


@dataclasses.dataclass(frozen=True)
class Order:
    items: tuple[str, ...]
    colour: Colour
    price: Decimal = Decimal("0.00")
    before: Order | None = None


class Message(pydantic.BaseModel):
    role: str
    at: datetime
    cost: Decimal = Decimal(0)
    tags: set[str] = set()


class Chat(pydantic.BaseModel):
    messages: list[Message]


class Pair(NamedTuple):
    left: Any
    right: Any


def fields_of(value: Any) -> dict[str, Any]:
    return {it.name: getattr(value, it.name) for it in dataclasses.fields(value)}


def register_all() -> None:
    persistry.register_type(Colour, "shop.Colour", lambda it: it.value, Colour)
    persistry.register_type(Rights, "shop.Rights", int, Rights)
    persistry.register_type(Order, "shop.Order", fields_of, lambda it: Order(**it))
    persistry.register_type(Message, "chat.Message", Message.model_dump, Message.model_validate)
    persistry.register_type(Chat, "chat.Chat", dict, Chat.model_validate)
    persistry.register_type(Pair, "shop.Pair", tuple, lambda it: Pair(*it))


MESSAGE = Message(role="user", at=datetime(2024, 7, 1), cost=Decimal("0.10"), tags={"a", "b"})
ORDER = Order(("tea",), Colour.RED, Decimal("1.50"), Order((), Colour.BLUE))
EXAMPLES = [
    Colour.RED,
    Rights.READ | Rights.WRITE,
    ORDER,
    MESSAGE,
    Chat(messages=[MESSAGE, MESSAGE]),
    Pair(1, Pair([Colour.RED], (MESSAGE,))),
    {Colour.RED, ORDER, Pair(1, frozenset({ORDER})), (Colour.BLUE, 1)},
]


@pytest.mark.parametrize("value", EXAMPLES, ids=lambda it: type(it).__name__)
def test_values_come_back(value: Any) -> None:
    register_all()
    found = back([value, (value,), {"k": value}])
    assert found == [value, (value,), {"k": value}]
    assert type(found[0]) is type(value)
    persister = persistry.connect("memory://")
    state = persistry.State({"value": value, "nan": float("nan")})
    persister.save("p", "a", 1, "x", state, "completed")
    persister.save("p", "a", 1, "x", state, "completed")
    loaded = persister.load("p", "a")
    assert loaded is not None
    assert loaded["state"]["value"] == value
    for twin in (copy.deepcopy(state), pickle.loads(pickle.dumps(state))):
        assert twin["value"] == value


def test_the_stored_text() -> None:
    """The stored format: these texts are in databases."""
    register_all()
    assert encode({"a": ORDER}).text == (
        '{"a":{"__persistry__":["shop.Order",{"items":{"__persistry__":["tuple",["tea"]]},'
        '"colour":{"__persistry__":["shop.Colour","red"]},'
        '"price":{"__persistry__":["decimal","1.50"]},'
        '"before":{"__persistry__":["shop.Order",{"items":{"__persistry__":["tuple",[]]},'
        '"colour":{"__persistry__":["shop.Colour","blue"]},'
        '"price":{"__persistry__":["decimal","0.00"]},"before":null}]}}]}}'
    )


def test_what_encode_returns_may_look_like_a_tag() -> None:
    def payload(value: Any) -> Any:
        return {"__persistry__": ["tuple", [1]]}

    seen = []
    persistry.register_type(Order, "shop.Order", payload, seen.append)
    back(ORDER)
    assert seen == [{"__persistry__": ["tuple", [1]]}]


def test_registering_again() -> None:
    persistry.register_type(Colour, "shop.Colour", lambda it: it.value, Colour)
    persistry.register_type(Colour, "shop.Colour", lambda it: it.name, lambda it: Colour[it])
    assert encode({"a": Colour.RED}).text == '{"a":{"__persistry__":["shop.Colour","RED"]}}'
    assert back(Colour.RED) is Colour.RED


def test_a_class_defined_anew_replaces_the_one_before() -> None:
    """As a reload does, or a cell of a notebook that is run again."""

    def defined() -> Any:
        class Point:
            def __init__(self, x: int) -> None:
                self.x = x

        persistry.register_type(Point, "shop.Point", lambda it: it.x, Point)
        return Point

    old, new = defined(), defined()
    assert old is not new
    assert type(back(new(1))) is new
    with pytest.raises(StateNotSerializableError, match="register its class"):
        encode({"a": old(1)})


def test_second_class_under_a_name() -> None:
    register_all()
    with pytest.raises(ValueError, match=r"'shop\.Colour' is taken by .*\.Colour: give .*\.Rights"):
        persistry.register_type(Rights, "shop.Colour", int, Rights)
    assert back(Colour.RED) is Colour.RED


def test_second_name_of_a_class() -> None:
    register_all()
    with pytest.raises(ValueError, match=r"Colour is registered already, under .*'shop\.Colour'"):
        persistry.register_type(Colour, "shop.Color", lambda it: it.value, Colour)
    assert "shop.Color" not in registry.by_name


@pytest.mark.parametrize(
    "name",
    ["", "Colour", "tuple", "int", ".", "a.", ".a", "a..b", "a b.c", "a.é", "a.b\n", "a/b", "a.b'"],
)
def test_names_that_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"joined by dots, such as 'my_app\.Colour', not"):
        persistry.register_type(Colour, name, lambda it: it.value, Colour)
    assert registry.by_class.get(Colour) is None


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((Colour.RED, "a.b", str, str), "cls must be a class"),
        (("Colour", "a.b", str, str), "cls must be a class"),
        ((list[int], "a.b", str, str), "cls must be a class"),
        ((Colour, b"a.b", str, str), "name must be a str, not bytes"),
        ((Colour, None, str, str), "name must be a str"),
        ((Colour, "a.b", None, str), "encode must be a function"),
        ((Colour, "a.b", str, "str"), "decode must be a function"),
    ],
)
def test_arguments_of_the_wrong_type(arguments: Any, words: str) -> None:
    with pytest.raises(TypeError, match=words):
        persistry.register_type(*arguments)


@pytest.mark.parametrize("cls", [str, int, bool, type(None), dict, tuple, set, date, Decimal])
def test_types_that_need_no_registration(cls: type) -> None:
    with pytest.raises(ValueError, match="needs no registration"):
        persistry.register_type(cls, "a.b", str, str)


def test_subclasses_are_not_meant() -> None:
    class Special(Order):
        pass

    register_all()
    with pytest.raises(
        StateNotSerializableError, match=r"state\['a'\] is of type .*Special, which"
    ):
        encode({"a": Special((), Colour.RED)})
    with pytest.raises(StateNotSerializableError, match="OrderedDict"):
        encode({"a": OrderedDict()})


@pytest.mark.parametrize(
    ("encoder", "place"),
    [
        (lambda it: {"x": [1, 2j]}, "state['a'][1]<shop.Order>['x'][1] is of type complex"),
        (lambda it: {1: 2}, "state['a'][1]<shop.Order> has the key 1 of type int"),
        (lambda it: it, "state['a'][1]<shop.Order> is a Order that contains itself"),
        (lambda it: (0, [it]), "state['a'][1]<shop.Order>[1][0] is a Order that contains itself"),
    ],
)
def test_what_encode_returns_is_checked(encoder: Any, place: str) -> None:
    persistry.register_type(Order, "shop.Order", encoder, Order)
    with pytest.raises(StateNotSerializableError) as caught:
        encode({"a": [0, ORDER]})
    assert str(caught.value).startswith(place)


def test_an_encode_without_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tagging, "_MOST_ENCODED", 1000)
    persistry.register_type(Order, "shop.Order", copy.copy, Order)
    with pytest.raises(StateNotSerializableError, match="never to come to an end") as caught:
        encode({"a": ORDER})
    assert str(caught.value).startswith("state['a']<shop.Order><shop.Order>")
    assert len(str(caught.value)) < 700


def test_registered_values_inside_one_another_to_any_depth() -> None:
    register_all()
    order: Any = None
    for _ in range(5_000):
        order = Order((), Colour.RED, before=order)
    encoded = encode({"a": order})
    assert encoded.codec == 3
    found = decode(encoded.data, 3)["a"]
    for _ in range(5_000):
        found = found.before
    assert found is None


@pytest.mark.parametrize(
    "error", [KeyError("x"), ValueError("x"), RecursionError("x"), OSError("x")]
)
def test_errors_of_encode_and_decode(error: Exception) -> None:
    def fail(value: Any) -> Any:
        raise error

    register_all()
    encoded = encode({"a": [{Colour.RED}]})
    persistry.register_type(Colour, "shop.Colour", fail, fail)
    with pytest.raises(StateNotSerializableError) as refused:
        encode({"a": [Colour.RED]})
    assert refused.value.__cause__ is error
    assert str(refused.value).startswith(
        f"state['a'][0] is of the registered type 'shop.Colour', whose encode failed with "
        f"{type(error).__name__}: "
    )
    with pytest.raises(ValueError) as corrupt:
        decode(encoded.data, encoded.codec)
    assert corrupt.value.__cause__ is error
    assert "the decode of the registered type 'shop.Colour' failed with" in str(corrupt.value)


def test_interruptions_pass_through() -> None:
    def interrupted(value: Any) -> Any:
        raise KeyboardInterrupt

    persistry.register_type(Colour, "shop.Colour", interrupted, Colour)
    with pytest.raises(KeyboardInterrupt):
        encode({"a": Colour.RED})


def test_what_is_written_is_compared_without_anybodys_code() -> None:
    register_all()
    texts = [encode({"a": it}) for it in (ORDER, {ORDER, Colour.RED}, [Pair(1, {2, 3})])]
    registry.by_name.clear()
    registry.by_class.clear()
    found = [decode(it.data, it.codec, registered=False) for it in texts]
    again = [decode(it.data, it.codec, registered=False) for it in texts]
    for index, one in enumerate(found):
        for other_index, other in enumerate(again):
            assert same(one, other) == (index == other_index)
    assert type(found[0]["a"]) is Written
    assert not same(Written("a.b", 1), Written("a.c", 1))
    assert not same(Written("a.b", 1), Written("a.b", True))
    assert same({Written("a.b", {"x": 1, "y": [2]}), 5}, {5, Written("a.b", {"y": [2], "x": 1})})


def test_a_type_that_is_not_registered() -> None:
    persister = persistry.connect("memory://")
    register_all()
    persister.save("p", "a", 7, "x", persistry.State({"a": [Colour.RED]}), "completed")
    registry.by_name.clear()
    with pytest.raises(UnregisteredTypeError):
        decode('{"a":{"__persistry__":["shop.Colour","red"]}}', 1)
    with pytest.raises(CorruptStateError) as caught:
        persister.load("p", "a")
    assert str(caught.value) == (
        "load of partition 'p', app 'a', sequence 7: a value of the type 'shop.Colour' is in it, "
        "and this process has registered no class under that name: call "
        "persistry.register_type(<the class>, 'shop.Colour', encode=..., decode=...) before loading"
    )


def test_another_process_that_has_registered_it_or_not(tmp_path: Path) -> None:
    register_all()
    url = f"sqlite:///{tmp_path}/steps.db"
    with persistry.connect(url) as persister:
        persister.initialize()
        persister.save("p", "a", 1, "x", persistry.State({"c": Colour.RED}), "completed")
    registers = """
class Colour:
    def __init__(self, value): self.value = value
persistry.register_type(Colour, "shop.Colour", lambda it: it.value, Colour)
"""
    reads = f"""
with persistry.connect({url!r}) as persister:
    print(type(persister.load("p", "a")["state"]["c"]).__name__)
"""
    for code, printed, failure in [
        (registers, "Colour\n", ""),
        ("", "", "persistry.errors.CorruptStateError: load of"),
    ]:
        done = subprocess.run(
            [sys.executable, "-c", f"import persistry\n{code}{reads}"],
            env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.stdout == printed, done.stderr
        assert failure in done.stderr


def test_threads_register_at_the_same_time() -> None:
    def make(number: int) -> type:
        return type(f"Class{number}", (), {})

    classes = [make(number) for number in range(200)]
    errors: list[BaseException] = []
    start = threading.Barrier(8)

    def register(own: int) -> None:
        start.wait()
        try:
            for number, cls in enumerate(classes):
                persistry.register_type(cls, f"many.Class{number}", repr, str)
                encode({"a": [classes[number]()]})
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=register, args=(own,)) for own in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert {registry.by_name[f"many.Class{n}"].cls for n in range(200)} == set(classes)
    assert {registry.by_class[cls].name for cls in classes} == {
        f"many.Class{n}" for n in range(200)
    }


def test_one_of_several_racing_classes_gets_the_name() -> None:
    classes = [type(f"Class{number}", (), {}) for number in range(8)]
    start = threading.Barrier(8)
    winners: list[type] = []

    def register(cls: type) -> None:
        start.wait()
        try:
            persistry.register_type(cls, "race.Class", str, str)
        except ValueError:
            return
        winners.append(cls)

    threads = [threading.Thread(target=register, args=(cls,)) for cls in classes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [registry.by_name["race.Class"].cls] == winners
    assert [cls for cls in classes if cls in registry.by_class] == winners


class Doubled(persistry.State):
    """A subclass that converts what it holds, with the persister's serde_kwargs."""

    __slots__ = ()

    def serialize(self, **serde_kwargs: Any) -> dict[str, Any]:
        return {key: serde_kwargs["factor"] * value for key, value in self.items()}


def test_serde_kwargs_have_nothing_to_do_with_it() -> None:
    register_all()
    persister = persistry.InMemoryPersister({"factor": 2})
    persister.save("p", "a", 1, "x", Doubled({"t": (1,), "n": 2}), "completed")
    found = persister.load("p", "a")
    assert found is not None
    assert found["state"] == persistry.State({"t": (1, 1), "n": 4})
