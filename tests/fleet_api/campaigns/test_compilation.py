"""Compilation in a child: the same result as in this process, and no text may take more than its processor time."""

from __future__ import annotations

import pytest

from fleet_api.campaigns.compilation import Text, compile_aside, compile_campaign
from tests.fleet_api.api_server import SIGNALS, campaign_text
from triggers.errors import DiagnosticsError, InvalidInput


def test_the_child_gives_what_this_process_would_give() -> None:
    text = Text(campaign_text(), "a.trigger", SIGNALS, None)
    assert compile_aside(text) == compile_campaign(text)


def test_mistakes_come_back_with_their_places() -> None:
    text = Text(campaign_text("oops"), "a.trigger", SIGNALS, None)
    with pytest.raises(DiagnosticsError) as here:
        compile_campaign(text)
    with pytest.raises(DiagnosticsError) as there:
        compile_aside(text)
    assert there.value.diagnostics == here.value.diagnostics
    assert str(there.value) == str(here.value)


def test_a_text_that_takes_too_long_is_refused_with_the_limit() -> None:
    condition = " and ".join(f"ego.speed > {number} m/s" for number in range(30_000))
    text = Text(f"trigger t {{ when {condition} }}", "a.trigger", SIGNALS, None)
    with pytest.raises(InvalidInput, match="1 s of processor time"):
        compile_aside(text, cpu_s=1)
