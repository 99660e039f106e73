# Code generated from spec/backends/postgresql.yaml by `make generate`. DO NOT EDIT.
"""Another name of `b_psycopg2`, from the documents of earlier libraries."""

from .b_psycopg2 import *  # noqa: F403
from .b_psycopg2 import __getattr__ as __getattr__
