"""Compilation in a child: the same result as in this process, and no text may take more than its processor time."""

from __future__ import annotations

import multiprocessing
import resource
import sys
from multiprocessing.connection import Connection

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


def test_a_text_that_takes_too_much_memory_is_refused_with_the_limit_and_others_are_not() -> None:
    """The limit is on all that a child has mapped, the libraries that it begins with included."""
    groups = (range(first, first + 500) for first in range(0, 38_000, 500))
    condition = " and ".join("(" + " or ".join(f"ego.speed > {n} m/s" for n in group) + ")" for group in groups)
    large = Text(f"trigger t {{ when {condition} }}", "a.trigger", SIGNALS, None)
    memory_bytes = mapped_by_a_child() + 4 * 2**20
    with pytest.raises(InvalidInput, match=f"more than {memory_bytes // 2**20} MiB of memory"):
        compile_aside(large, memory_bytes=memory_bytes)
    small = Text(campaign_text(), "a.trigger", SIGNALS, None)
    assert compile_aside(small, memory_bytes=memory_bytes) == compile_campaign(small)


def mapped_by_a_child() -> int:
    """What a child of the fork server has mapped before it has begun."""
    context = multiprocessing.get_context("forkserver")
    receiver, sender = context.Pipe(duplex=False)
    # A function of this module would have the child import all that tests need.
    child = context.Process(target=exec, args=("sender.send(open('/proc/self/statm').read())", {"sender": sender}))
    child.start()
    pages: str = receiver.recv()
    child.join()
    return int(pages.split(maxsplit=1)[0]) * resource.getpagesize()


def test_children_begin_with_all_that_the_compiler_makes_when_it_is_first_used() -> None:
    """So the first compilation of an API process does no more than later ones: the fork server has compiled before."""
    context = multiprocessing.get_context("forkserver")
    receiver, sender = context.Pipe(duplex=False)
    child = context.Process(target=send_warm, args=(sender,))
    child.start()
    before, after = receiver.recv()
    child.join()
    assert {"fleet_api.campaigns.compiler_warm_up", "fleet_api.authoring.aside"} <= before
    assert after == before, "a compilation imports nothing more"


def send_warm(sender: Connection) -> None:
    before = set(sys.modules)
    compile_campaign(Text(campaign_text(), "a.trigger", SIGNALS, None))
    sender.send((before, set(sys.modules)))
