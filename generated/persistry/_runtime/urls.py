"""Takes a store's URL apart into the arguments of a class's `from_values`."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from .arguments import named, shown, takes_others, wrong_type
from .lazy import PACKAGE, load_class, no_class


@dataclass(frozen=True)
class Scheme:
    """What the URLs of one scheme mean."""

    example: str
    classes: Mapping[str, tuple[str, str, str | None]]
    """Colour -> module, class and the extra that brings its driver."""
    parts: Mapping[str, str]
    """Part of the URL -> parameter; `a.b` is the key `b` in the dict parameter `a`."""
    defaults: Mapping[str, str]
    presets: Mapping[str, str]
    """Parameter -> what the scheme itself says."""
    libraries: Mapping[str, Mapping[str, tuple[str, str, str | None]]] = field(default_factory=dict)
    """Driver library -> its classes, where a URL may say which: `scheme+library://`."""
    rest: str = ""
    """The dict parameter for what the query says and no parameter is named after."""
    whole: str = ""
    """The parameter that takes the URL as it is written, its options included; only what the query
    says of the other parameters is taken out."""


def open_url(
    schemes: Mapping[str, Scheme],
    url: object,
    colour: str,
    options: Mapping[str, Any],
    package: str = PACKAGE,
) -> Any:
    """The persister of a URL, through its class's `from_values`; the package has the class."""
    if not isinstance(url, str):
        wrong_type("url", url, "a str")
    scheme, classes = _meant(schemes, url)
    if colour not in classes:
        written = url.partition(":")[0]
        if colour in scheme.classes:
            plain = written.partition("+")[0]
            raise ValueError(f"{written}:// has no {colour} driver: write {plain}://")
        ((other, (_, name, _)),) = classes.items()
        raise ValueError(no_class(f"{written}://", colour, other, name))
    cls = load_class(*classes[colour], package)
    parameters = named(cls.from_values)
    if scheme.whole:
        arguments = _around(url, scheme, parameters)
    else:
        arguments = _arguments(_split(url, scheme), scheme, parameters)
    for key, value in options.items():
        if key not in parameters and not takes_others(cls.from_values):
            raise ValueError(_unknown("option", key, parameters))
        told = arguments.get(key)
        if isinstance(told, dict) and isinstance(value, Mapping):
            # What the URL says of a client, such as its TLS, stays beside what the options say.
            value = {**told, **value}
        arguments[key] = value
    for key, it in parameters.items():
        if it.default is not inspect.Parameter.empty or key in arguments:
            continue
        if not str(it.annotation).endswith("None"):
            raise ValueError(f"url lacks the {key}; write it like {scheme.example}")
        arguments[key] = None
    return cls.from_values(**arguments)


Classes = Mapping[str, tuple[str, str, str | None]]


def _meant(schemes: Mapping[str, Scheme], url: str) -> tuple[Scheme, Classes]:
    """The scheme and the classes of a URL; `scheme+library://` names the library's own."""
    name, separator, _ = url.partition(":")
    name = name.lower() if separator else ""
    if name in schemes:
        return schemes[name], schemes[name].classes
    plain, _, library = name.partition("+")
    if plain in schemes and library in schemes[plain].libraries:
        return schemes[plain], schemes[plain].libraries[library]
    meant = [plain] if plain in schemes else sorted(schemes)
    known = [[it, *(f"{it}+{one}" for one in schemes[it].libraries)] for it in meant]
    written = [f"{it}://" for names in known for it in names]
    help = (
        f"write {' or '.join(written)}" if plain in schemes else f"known are {', '.join(written)}"
    )
    # Not the whole URL: there may be a password in it.
    raise ValueError(f"url begins with no known scheme; {help}")


def _split(url: str, scheme: Scheme) -> SplitResult:
    try:
        split = urlsplit(url)
        split.port  # noqa: B018  (a port that is no number shows here)
    except ValueError:
        # Without the reason: Python's words for it quote the place where a password may stand.
        raise ValueError(
            "url cannot be read: its port is no number, or its host no name; write it like "
            f"{scheme.example}, special characters in a password as %xx"
        ) from None
    if split.fragment:
        raise ValueError("url has a '#'; write it as %23 if it belongs to a name or a password")
    return split


def _around(
    url: str, scheme: Scheme, parameters: Mapping[str, inspect.Parameter]
) -> dict[str, Any]:
    """A URL that the driver reads itself: it may name several hosts, and have its own options."""
    base, _, query = url.partition("?")
    arguments: dict[str, Any] = {}
    path = unquote(base.partition("://")[2].rpartition("@")[2].partition("/")[2])
    if path:
        _put(arguments, scheme.parts["path"], path, parameters)
    theirs = []
    for option in filter(None, query.split("&")):
        key, _, text = option.partition("=")
        if key in parameters and key != scheme.whole:
            _put(arguments, key, unquote(text), parameters)
        else:
            theirs.append(option)
    arguments[scheme.whole] = f"{base}?{'&'.join(theirs)}" if theirs else base
    return arguments


def _arguments(
    split: SplitResult, scheme: Scheme, parameters: Mapping[str, inspect.Parameter]
) -> dict[str, Any]:
    found = {
        "host": split.hostname,
        "port": None if split.port is None else str(split.port),
        "username": None if split.username is None else unquote(split.username),
        "password": None if split.password is None else unquote(split.password),
        "path": unquote(split.path[1:]) if split.path.startswith("/") else None,
    }
    arguments: dict[str, Any] = {}
    for target, text in scheme.presets.items():
        _put(arguments, target, text, parameters, words=True)
    for part, written in found.items():
        value = written or scheme.defaults.get(part)
        if not value:
            continue
        if part not in scheme.parts:
            raise ValueError(
                f"url has a {part}, which has no meaning here; write it like {scheme.example}"
            )
        _put(arguments, scheme.parts[part], value, parameters)
    for key, text in parse_qsl(split.query, keep_blank_values=True):
        if key not in parameters and not scheme.rest:
            raise ValueError(_unknown("query parameter", key, parameters))
        target = key if key in parameters else f"{scheme.rest}.{key}"
        _put(arguments, target, text, parameters, words=True)
    return arguments


_WORDS = {"true": True, "false": False}


def _put(
    arguments: dict[str, Any],
    target: str,
    text: str,
    parameters: Mapping[str, inspect.Parameter],
    words: bool = False,
) -> None:
    """With `words`, a true or false inside a dict parameter is one; no name or password is."""
    name, _, key = target.partition(".")
    if key:
        arguments.setdefault(name, {})[key] = _WORDS.get(text, text) if words else text
    else:
        arguments[name] = _converted(name, text, str(parameters[name].annotation))


def _converted(name: str, text: str, annotation: str) -> Any:
    """A text as the parameter's type."""
    try:
        if annotation.startswith("int"):
            return int(text)
        if annotation.startswith("float"):
            return float(text)
    except ValueError:
        raise ValueError(f"{name} must be a number, not {shown(text)}") from None
    if annotation.startswith("bool") and text in _WORDS:
        return _WORDS[text]
    if not annotation.startswith("str"):
        raise ValueError(f"{name} cannot be given in a url; give it as a keyword argument")
    return text


def _unknown(what: str, key: str, parameters: Mapping[str, inspect.Parameter]) -> str:
    return f"url has the unknown {what} {shown(key)}; known are: {', '.join(parameters)}"
