# Code generated from spec/backends/ by `make generate`. DO NOT EDIT.
"""The tables of each store: what they are, and how they are made. It imports no driver."""
