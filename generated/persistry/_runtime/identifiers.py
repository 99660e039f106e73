"""Table names as quoted identifiers: no name can change the meaning of a statement."""

from __future__ import annotations

from .arguments import stored_text


def split_table_name(table_name: object) -> tuple[str, str]:
    """Schema (`""` if none is given) and table: a dot separates them."""
    name = stored_text("table_name", table_name)
    schema, dot, table = name.rpartition(".")
    if not table or (dot and not schema) or "." in schema:
        raise ValueError(f"table_name must be 'table' or 'schema.table', not {name!r}")
    return schema, table


def quoted(schema: str, name: str) -> str:
    """The identifier in double quotes, as the SQL standard has it."""
    quoted_name = _quote(name)
    return f"{_quote(schema)}.{quoted_name}" if schema else quoted_name


def _quote(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
