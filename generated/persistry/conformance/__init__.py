# Code generated from spec/conformance/ by `make generate`. DO NOT EDIT.
"""The test matrix: every persister is held to the same promise by the same cases.

`python -m persistry.conformance module:factory` holds a persister of one's own to it.

`columns.COLUMNS` are the persisters; `support.plugin` is the pytest plugin that runs each case on
each of them; `support.column` says what a test environment supplies.
"""
