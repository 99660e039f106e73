# Code generated from spec/backends/ by `make generate`. DO NOT EDIT.
"""The tables of each store, for `python -m persistry ddl`."""

# The backends that have tables.
BACKENDS: tuple[str, ...] = ("mariadb", "postgresql", "sqlcipher", "sqlite")
