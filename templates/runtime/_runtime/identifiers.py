"""Table names as quoted identifiers: no name can change the meaning of a statement."""

from __future__ import annotations

from collections.abc import Mapping

from .arguments import stored_text


def split_table_name(
    table_name: object, *, most_bytes: int = 0, longest_suffix: str = ""
) -> tuple[str, str]:
    """Schema (`""` if none is given) and table: a dot separates them.

    `most_bytes` is the longest identifier that the store takes, and `longest_suffix` what is put
    behind the table's name at most; two longer names could be cut to the same.
    """
    name = stored_text("table_name", table_name)
    schema, dot, table = name.rpartition(".")
    if not table or (dot and not schema) or "." in schema:
        raise ValueError(f"table_name must be 'table' or 'schema.table', not {name!r}")
    for part, most in ((schema, most_bytes), (table, most_bytes - len(longest_suffix))):
        size = len(part.encode())
        if most_bytes and size > most:
            raise ValueError(
                f"table_name: {part!r} has {size} bytes of UTF-8, but this store takes {most}"
            )
    return schema, table


def quoted(schema: str, name: str) -> str:
    """The identifier in double quotes, as the SQL standard has it."""
    quoted_name = _quote(name)
    return f"{_quote(schema)}.{quoted_name}" if schema else quoted_name


def backticked(schema: str, name: str) -> str:
    """The identifier in backticks, where double quotes may mean a text."""
    parts = ("`" + part.replace("`", "``") + "`" for part in (schema, name) if part)
    return ".".join(parts)


def literal(text: str) -> str:
    """The text as a string of SQL, as the standard has it."""
    return "'" + text.replace("'", "''") + "'"


def backslashed_literal(text: str) -> str:
    """The text as a string of SQL, where a backslash is an escape."""
    return literal(text.replace("\\", "\\\\"))


def escape_literal(text: str) -> str:
    """The text as a string of SQL, where a backslash may be an escape, and is one behind an E."""
    return f"E{backslashed_literal(text)}" if "\\" in text else literal(text)


def doubled(names: Mapping[str, str]) -> dict[str, str]:
    """The names for a driver that reads a percent sign as the beginning of a parameter."""
    return {name: text.replace("%", "%%") for name, text in names.items()}


def _quote(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
