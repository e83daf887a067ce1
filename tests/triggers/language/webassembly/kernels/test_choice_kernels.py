"""`default` and `if` take the value that the interpreter takes, and all its bits, at every tick."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.triggers.language.webassembly.harness import KernelMachine, make_node
from tests.triggers.language.webassembly.kernels.test_logic_kernels import assert_computes, columns
from triggers.language.ir import Kind
from triggers.language.reference.values import Value
from triggers.language.webassembly.kernels.current.choices import KERNELS


@pytest.mark.parametrize("kind", list(Kind))
@given(data=st.data())
@settings(max_examples=60)
def test_default_takes_the_second_value_where_the_first_is_unknown(kind: Kind, data: st.DataObject) -> None:
    kinds = (kind, kind)
    machine = KernelMachine(KERNELS[f"default_{kind}"], make_node("default", kinds), kinds)
    assert_computes(machine, columns(data, kinds), lambda a, b: b if a is None else a)


@pytest.mark.parametrize("kind", list(Kind))
@given(data=st.data())
@settings(max_examples=100)
def test_if_takes_one_value_and_is_unknown_with_its_condition(kind: Kind, data: st.DataObject) -> None:
    kinds = (Kind.BOOL, kind, kind)
    machine = KernelMachine(KERNELS[f"if_{kind}"], replace(make_node("if", kinds), kind=kind), kinds)

    def chosen(c: bool | None, a: Value, b: Value) -> Value:
        return None if c is None else a if c else b

    assert_computes(machine, columns(data, kinds), chosen)
