# Code generated from spec/backends/mongodb.yaml by `make generate`. DO NOT EDIT.
"""Another name of `b_pymongo`, from the documents of earlier libraries."""

from .b_pymongo import *  # noqa: F403
from .b_pymongo import __getattr__ as __getattr__
