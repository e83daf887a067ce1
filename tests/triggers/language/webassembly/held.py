"""Blocks as the module has them: an argument keeps its value between the ticks at which its user is due."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from hypothesis import strategies as st

from tests.triggers.language.webassembly.harness import Block, recordings
from triggers.language.ir import Kind
from triggers.language.reference.values import Value


def held(blocks: Sequence[Block]) -> list[Block]:
    """The blocks, with the arguments of ticks that are not due replaced by those of the latest due tick."""
    result = []
    latest: list[Value] = []
    for block in blocks:
        columns: list[list[Value]] = [[] for _ in block.arguments]
        for tick, due in enumerate(block.due):
            if due:
                latest = [argument[tick] for argument in block.arguments]
            for column, value in zip(columns, latest, strict=True):
                column.append(value)
        result.append(replace(block, arguments=tuple(columns)))
    return result


def held_recordings(kinds: Sequence[Kind], span_ns: int) -> st.SearchStrategy[list[Block]]:
    """As `recordings`, with arguments that are held."""
    return recordings(kinds, span_ns).map(held)
