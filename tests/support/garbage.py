"""Python's collector of garbage, for tests/conftest.py: it passes over all that a run imports and collects."""

from __future__ import annotations

import gc
from collections.abc import Generator

import pytest


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Look for garbage once all modules are imported and all tests are made, and never again among them.

    They are a million objects by then. While they become more, and whenever tests make many others, the collector
    would go through all of them.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        gc.collect()
        gc.freeze()
