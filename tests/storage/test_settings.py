"""Settings: where they come from, and that no message shows a secret."""

from __future__ import annotations

import pytest

from storage.settings import Settings, shown_url
from triggers.errors import Misconfigured


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql+psycopg://ann:geheim@db:5432/x", "postgresql://ann:***@db:5432/x"),
        ("postgresql://ann@db/x?host=/run/pg&port=5432", "postgresql://ann@db/x?host=/run/pg&port=5432"),
        (
            "postgresql://db/x?user=ann&password=geheim&sslmode=require",
            "postgresql://db/x?user=ann&password=***&sslmode=require",
        ),
        ("postgresql://db/x?sslpassword=geheim", "postgresql://db/x?sslpassword=***"),
        ("postgresql://ann:ge/he@im@db/x", "postgresql://ann:***@db/x"),
        ("kafka://ann:geheim@[broken", "kafka://ann:***@[broken"),
    ],
)
def test_a_url_is_shown_as_psql_takes_it_and_without_its_password(url: str, shown: str) -> None:
    assert shown_url(url) == shown


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("LONGTAIL_DATABASE_URL", "mysql://ann:geheim@db/x"),
        ("LONGTAIL_DATABASE_URL", "mysql://db/x?password=geheim"),
    ],
)
def test_a_refused_setting_is_named_without_its_secret(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(Misconfigured, match=f"{variable}: must be a postgresql:// URL") as caught:
        Settings.load()
    assert "geheim" not in str(caught.value) and "mysql://" in str(caught.value)


def test_a_refused_number_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LONGTAIL_API_PORT", "many")
    with pytest.raises(Misconfigured, match=r"LONGTAIL_API_PORT: .*\(got 'many'\)"):
        Settings.load()
