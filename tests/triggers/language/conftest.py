"""The signal catalog that the language's tests share."""

from __future__ import annotations

from pathlib import Path

import pytest

from triggers.signals.catalog import SignalCatalog


@pytest.fixture(scope="session")
def catalog() -> SignalCatalog:
    """Signals of every kind: numbers with units, temperatures, bools, texts, heads, a position."""
    return SignalCatalog.load(Path(__file__).parent / "catalog.yaml")
