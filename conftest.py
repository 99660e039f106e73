"""Loads the plugins of the test suite: the matrix, and what it runs on."""

import pytest

pytest.register_assert_rewrite("persistry.conformance.support", "tests")

pytest_plugins = [
    "persistry.conformance.support.plugin",
    "tests.stores",
    "tests.mutants.rows",
]
