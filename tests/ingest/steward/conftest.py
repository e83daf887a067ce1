"""Settings of the steward's tests that delete objects: they run with each implementation of the object store."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from storage.database import Database
from storage.settings import Settings
from tests.storage.objects.conftest import new_store_settings

__all__ = ["new_store_settings"]


@pytest.fixture
def settings(new_store_settings: Callable[[], Settings], database: Database) -> Settings:
    """Settings that name an empty store and the test's database."""
    return new_store_settings().model_copy(update={"database_url": database.url})
