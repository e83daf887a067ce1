"""Lists of objects in a signal catalog: what they mean, and that a catalog is the same one as text and as JSON."""

from __future__ import annotations

from typing import get_args

import pytest

from triggers.errors import InvalidInput
from triggers.language.compile import compile_source
from triggers.signals.catalog import SignalCatalog
from triggers.signals.catalog_text import catalog_text
from triggers.signals.objects import MAX_KEY, MIN_KEY, ObjectField, ObjectList, ObjectSample
from triggers.signals.reserved import RESERVED

TRACKED = (
    "{max: 64, rate: 20, key: id, fields: {id: {type: id, invalid: [0]}, "
    "kind: {type: text, values: [car, truck]}, x: {unit: m, column: pos_x}, v: {unit: m/s, scale: 0.01, max: 90}}}"
)


def parse(objects: str, signals: str = "{ego.speed: {unit: m/s}}") -> SignalCatalog:
    return SignalCatalog.parse(f"signals: {signals}\nobjects: {objects}\n", name="signals.yaml")


def tracked(keys: str = "") -> ObjectList:
    return parse(f"{{t: {{max: 4, key: id, fields: {{id: {{type: id}}}}{keys}}}}}").objects["t"]


def test_a_list_is_read_with_its_fields_in_their_order() -> None:
    objects = parse(f"{{tracked: {TRACKED}}}").objects["tracked"]
    assert list(objects.fields) == ["id", "kind", "x", "v"]
    assert objects.value_fields == ("kind", "x", "v")
    assert objects.fields["v"].raw_form.value(200.0) == (2.0, False)
    assert objects.fields["kind"].raw_form.states == 2


@pytest.mark.parametrize(
    ("keys", "max_age_ns"),
    [("", 1_000_000_000), (", rate: 20", 150_000_000), (", rate: 20, max_age: 0.5", 500_000_000)],
)
def test_a_sample_is_valid_as_long_as_that_of_a_signal(keys: str, max_age_ns: int) -> None:
    assert tracked(keys).max_age_ns == max_age_ns


def test_a_catalog_with_lists_is_the_same_one_as_text_and_as_json() -> None:
    catalog = parse(f"{{tracked: {TRACKED}, near.cars: {{max: 1, key: k, fields: {{k: {{type: id}}}}}}}}")
    text = catalog_text(catalog)
    assert SignalCatalog.parse(text, name="again") == catalog
    assert catalog_text(SignalCatalog.parse(text, name="again")) == text
    assert SignalCatalog.from_json(catalog.canonical_json(), what="catalog") == catalog


def test_a_catalog_without_lists_has_no_key_for_them() -> None:
    assert "objects" not in catalog_text(SignalCatalog.parse("signals: {a: {}}", name="x"))


@pytest.mark.parametrize("word", sorted(RESERVED))
def test_no_field_has_a_name_that_an_expression_cannot_read(word: str) -> None:
    with pytest.raises(InvalidInput, match=f"objects.t.fields.{word}: .*is a word of the language"):
        parse(f'{{t: {{max: 4, key: id, fields: {{id: {{type: id}}, "{word}": {{}}}}}}}}')


def test_what_is_made_without_a_text_is_refused_as_well() -> None:
    with pytest.raises(ValueError, match="only the key is of the type id"):
        ObjectList(max=1, key="a", fields={"a": ObjectField(type="id"), "b": ObjectField(type="id")})
    with pytest.raises(ValueError, match="not a known unit; did you mean"):
        ObjectField(unit="kph")


@pytest.mark.parametrize(
    ("signals", "objects", "said"),
    [
        ("{t: {}}", "t", "objects.t: `t` is also the name of a signal"),
        ("{t.u.v: {}}", "t", "objects.t: `t` is also the beginning of `t.u.v`"),
        ("{t.u.v: {}}", "t.u", "objects.t.u: `t.u` is also the beginning of `t.u.v`"),
    ],
)
def test_names_of_lists_and_signals_do_not_clash(signals: str, objects: str, said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        parse(f"{{{objects}: {{max: 1, key: k, fields: {{k: {{type: id}}}}}}}}", signals)
    assert parse(f"{{{objects}s: {{max: 1, key: k, fields: {{k: {{type: id}}}}}}}}", signals).objects


@pytest.mark.parametrize(("max_age", "warned"), [(0.199, ["LT916"]), (0.2, [])])
def test_a_max_age_that_heartbeats_cannot_notice_is_warned_about(max_age: float, warned: list[str]) -> None:
    catalog = parse(f"{{t: {{max_age: {max_age}, max: 1, key: k, fields: {{k: {{type: id}}}}}}}}", "{a: {rate: 9}}")
    found = compile_source("trigger t { when a > 1 }", filename="test", catalog=catalog).diagnostics
    assert [(each.code, each.line, each.column) for each in found] == [(code, 2, 15) for code in warned]


def test_keys_are_those_of_arrow_and_protobuf() -> None:
    assert (MIN_KEY, MAX_KEY) == (-(2**63), 2**63 - 1)
    assert ObjectSample((MAX_KEY,), ((1.0,),)).keys == (MAX_KEY,)
    assert "id" in get_args(ObjectField.model_fields["type"].annotation)
