"""Imports: files below the folder of the file that imports them, each once, and only so many of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from triggers.contracts.limits import MAX_SOURCE_BYTES
from triggers.errors import InvalidInput
from triggers.language.compile import Compilation, compile_file, compile_source
from triggers.language.expansion.linking import MAX_DEPTH
from triggers.language.explain import explain
from triggers.language.sources.imports import MAX_FILES
from triggers.language.text.diagnostics import render_all
from triggers.language.text.formatter import format_source
from triggers.signals.catalog import SignalCatalog

MAIN = """import "common.trigger" as c
trigger a { when c.hard(ego.accel) and ego.gear in c.rare cooldown c.hold }
campaign all { collect a budget 1 GB total }
"""
COMMON = """# what all of us watch for
param hold = 300 ms
set rare = ("R", "N")
let hard(x) = x < -4 m/s^2 for hold
trigger not_taken { when ego.speed > 1 m/s }
"""
PLAIN = """trigger a { when ego.accel < -4 m/s^2 for 300 ms and ego.gear in ("R", "N") cooldown 300 ms }
campaign all { collect a budget 1 GB total }
"""


def written(folder: Path, **files: str) -> Path:
    """Files with these texts, where `sub__a` is sub/a.trigger; the path of `main`."""
    for name, text in files.items():
        path = folder / f"{name.replace('__', '/')}.trigger"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder / "main.trigger"


def findings(compilation: Compilation, folder: Path) -> list[str]:
    return [
        f"{each.file.replace(str(folder), '.')}:{each.line}:{each.column} {each.code} {each.message}"
        for each in compilation.diagnostics
        if each.severity == "error"
    ]


def test_an_import_means_what_would_be_written_instead(tmp_path: Path, catalog: SignalCatalog) -> None:
    compilation = compile_file(written(tmp_path, main=MAIN, common=COMMON), catalog)
    assert compilation.ok, render_all(compilation.diagnostics)
    plain = compile_source(PLAIN, filename="plain.trigger", catalog=catalog)
    assert compilation.campaigns["all"].digest == plain.campaigns["all"].digest
    assert compilation.campaigns["all"].settings == plain.campaigns["all"].settings
    assert compilation.triggers is not None
    assert [trigger.name for trigger in compilation.triggers.settings] == ["a"]


def test_the_whole_text_compiles_to_the_same_anywhere_else(tmp_path: Path, catalog: SignalCatalog) -> None:
    here = compile_file(written(tmp_path, main=MAIN, common=COMMON), catalog)
    there = compile_source(here.source, filename="sent.trigger", catalog=catalog)
    assert there.campaigns["all"].digest == here.campaigns["all"].digest
    assert COMMON in here.source and here.source.startswith(MAIN)
    formatted = format_source(here.source, filename="sent.trigger").text
    assert formatted is not None and "# what all of us watch for" in formatted
    again = compile_source(formatted, filename="sent.trigger", catalog=catalog)
    assert again.campaigns["all"].digest == here.campaigns["all"].digest


def test_a_file_without_imports_is_compiled_as_it_is(tmp_path: Path, catalog: SignalCatalog) -> None:
    assert compile_file(written(tmp_path, main=PLAIN), catalog).source == PLAIN


def test_a_text_that_is_sent_without_its_imports_says_so(catalog: SignalCatalog) -> None:
    compilation = compile_source(MAIN, filename="sent.trigger", catalog=catalog)
    (found,) = [each for each in compilation.diagnostics if each.severity == "error"]
    assert (found.code, found.line, found.column) == ("LT226", 1, 8)
    assert "was not sent with this file" in found.message and "longtail campaign apply" in found.proposal


def test_a_mistake_in_an_imported_file_names_that_file_and_its_line(tmp_path: Path, catalog: SignalCatalog) -> None:
    form = written(tmp_path, main=MAIN, common="param hold = 1 s\n\nlet hard(x) = x <\n")
    assert findings(compile_file(form, catalog), tmp_path) == [
        "./common.trigger:4:1 LT103 expected a signal, a value or `(`, found the end of the file"
    ]
    meaning = written(tmp_path, main=MAIN, common=COMMON.replace("m/s^2", "m/s"))
    (found,) = findings(compile_file(meaning, catalog), tmp_path)
    assert found.startswith("./common.trigger:4:15 LT302")
    assert "in line 2 of" in found and "main.trigger" in found
    unused = written(tmp_path, main=MAIN, common=f"{COMMON}let p = ego.spede > 1 m/s\n")
    assert findings(compile_file(unused, catalog), tmp_path)[0].startswith("./common.trigger:6:9 LT201")


def test_what_an_imported_file_costs_is_told_with_its_name_and_line(tmp_path: Path, catalog: SignalCatalog) -> None:
    (program,) = explain(compile_file(written(tmp_path, main=MAIN, common=COMMON), catalog), catalog)
    (held,) = [operator for operator in program.operators if operator.text.startswith("x < -4 m/s^2 for hold")]
    assert held.text.endswith("common.trigger") and (held.line, held.column, held.end_line) == (4, 15, 4)


def test_imports_are_relative_to_the_file_that_imports(tmp_path: Path, catalog: SignalCatalog) -> None:
    main = written(
        tmp_path,
        main='import "sub/a.trigger" as a\ntrigger t { when a.p }\n',
        sub__a='import "deep/b.trigger" as b\nlet p = b.q\n',
        sub__deep__b="let q = ego.speed > 1 m/s\n",
        deep__b="let q = ego.speed > 2 m/s\n",
    )
    compilation = compile_file(main, catalog)
    assert compilation.ok, render_all(compilation.diagnostics)
    assert 'file "sub/deep/b.trigger" {\nlet q = ego.speed > 1 m/s' in compilation.source


def test_a_file_that_two_import_is_read_once(tmp_path: Path, catalog: SignalCatalog) -> None:
    main = written(
        tmp_path,
        main='import "a.trigger" as a\nimport "b.trigger" as b\ntrigger t { when a.p or b.p }\n',
        a='import "b.trigger" as b\nlet p = b.p\n',
        b="let p = ego.speed > 1 m/s\n",
    )
    assert compile_file(main, catalog).source.count('file "b.trigger"') == 1


@pytest.mark.parametrize(
    "path", ["../out.trigger", "/etc/passwd", "a/../b.trigger", "./a.trigger", "", "a b", "a\\b", "~x"]
)
def test_paths_that_could_lead_elsewhere_are_refused(tmp_path: Path, catalog: SignalCatalog, path: str) -> None:
    (tmp_path / "out.trigger").write_text("let p = true\n")
    main = written(tmp_path / "in", main=f'import "{path}" as c\ntrigger t {{ when ego.speed > 1 m/s }}\n')
    (found,) = findings(compile_file(main, catalog), tmp_path)
    assert "LT225" in found and "cannot be imported" in found


def test_links_out_of_the_folder_are_refused_and_links_within_it_are_not(
    tmp_path: Path, catalog: SignalCatalog
) -> None:
    (tmp_path / "secret.trigger").write_text("let p = ego.speed > 1 m/s\n")
    text = 'import "sub/a.trigger" as a\ntrigger t { when a.p }\n'
    main = written(tmp_path / "in", main=text, within="let p = ego.speed > 1 m/s\n")
    (tmp_path / "in" / "sub").mkdir()
    link = tmp_path / "in" / "sub" / "a.trigger"
    link.symlink_to(tmp_path / "secret.trigger")
    (found,) = findings(compile_file(main, catalog), tmp_path)
    assert "LT225" in found and "leads out of the folder" in found
    link.unlink()
    link.symlink_to(tmp_path / "in" / "within.trigger")
    assert compile_file(main, catalog).ok
    link.unlink()
    (tmp_path / "in" / "sub").rmdir()
    (tmp_path / "in" / "sub").symlink_to(tmp_path)
    (tmp_path / "a.trigger").write_text("let p = ego.speed > 1 m/s\n")
    (found,) = findings(compile_file(main, catalog), tmp_path)
    assert "LT225" in found


def test_links_that_lead_in_circles_are_told_as_a_file_that_cannot_be_read(
    tmp_path: Path, catalog: SignalCatalog
) -> None:
    main = written(tmp_path, main='import "a.trigger" as a\ntrigger t { when a.p }\n')
    (tmp_path / "a.trigger").symlink_to("b.trigger")
    (tmp_path / "b.trigger").symlink_to("a.trigger")
    (found,) = findings(compile_file(main, catalog), tmp_path)
    assert "LT226" in found


def test_circles_are_told_with_the_way_around_them(tmp_path: Path, catalog: SignalCatalog) -> None:
    main = written(
        tmp_path,
        main='import "a.trigger" as a\ntrigger t { when a.p }\n',
        a='import "b.trigger" as b\nlet p = b.p\n',
        b='import "a.trigger" as a\nlet p = a.p\n',
    )
    assert findings(compile_file(main, catalog), tmp_path) == [
        "./b.trigger:1:8 LT227 `a.trigger` imports itself: `a.trigger` imports `b.trigger` imports `a.trigger`"
    ]
    itself = written(tmp_path, main='import "main.trigger" as m\ntrigger t { when m.p }\n')
    assert findings(compile_file(itself, catalog), tmp_path) == ["./main.trigger:1:8 LT227 a file cannot import itself"]


@pytest.mark.parametrize("what", ["missing", "folder", "not UTF-8"])
def test_what_cannot_be_read_is_a_diagnostic_at_the_import(tmp_path: Path, catalog: SignalCatalog, what: str) -> None:
    main = written(tmp_path, main='import "a.trigger" as a\ntrigger t { when a.p }\n')
    if what == "folder":
        (tmp_path / "a.trigger").mkdir()
    elif what == "not UTF-8":
        (tmp_path / "a.trigger").write_bytes(b"let p = \xff")
    (found,) = findings(compile_file(main, catalog), tmp_path)
    assert found.startswith("./a.trigger:1:9 LT113" if what == "not UTF-8" else "./main.trigger:1:8 LT226")


def test_a_missing_file_itself_is_no_diagnostic(tmp_path: Path, catalog: SignalCatalog) -> None:
    with pytest.raises(InvalidInput, match="cannot be read"):
        compile_file(tmp_path / "main.trigger", catalog)


def test_depth_number_and_size_are_bounded(tmp_path: Path, catalog: SignalCatalog) -> None:
    chain = {f"f{i}": f'import "f{i + 1}.trigger" as n\nlet p = n.p\n' for i in range(MAX_DEPTH + 2)}
    deep = written(tmp_path / "deep", main='import "f0.trigger" as n\ntrigger t { when n.p }\n', **chain)
    assert any("LT501" in each and "on the way" in each for each in findings(compile_file(deep, catalog), tmp_path))
    files = {f"f{i}": "let p = ego.speed > 1 m/s\n" for i in range(MAX_FILES + 5)}
    imports = "".join(f'import "{name}.trigger" as {name}\n' for name in files)
    many = written(tmp_path / "many", main=f"{imports}trigger t {{ when f0.p }}\n", **files)
    (found,) = findings(compile_file(many, catalog), tmp_path)
    assert "LT501" in found and f"at most {MAX_FILES}" in found
    half = f"# {'x' * (MAX_SOURCE_BYTES // 2)}\nlet p = ego.speed > 1 m/s\n"
    text = 'import "a.trigger" as a\nimport "b.trigger" as b\ntrigger t { when a.p or b.p }\n'
    (found,) = findings(compile_file(written(tmp_path / "large", main=text, a=half, b=half), catalog), tmp_path)
    assert found.startswith("./large/main.trigger:2:8 LT226") and "bytes" in found


def test_names_of_an_import_do_not_meet_those_of_others(tmp_path: Path, catalog: SignalCatalog) -> None:
    main = written(
        tmp_path,
        main='import "a.trigger" as a\nparam hold = 1 s\nlet p = ego.accel < 0\n'
        "trigger t { when (p or a.p) for hold cooldown a.hold }\ncampaign c { collect t budget 1 GB total }\n",
        a="param hold = 2 s\nlet p = q\nlet q = ego.speed > 1 m/s\n",
    )
    plain = """trigger t { when (ego.accel < 0 or ego.speed > 1 m/s) for 1 s cooldown 2 s }
    campaign c { collect t budget 1 GB total }"""
    first, second = compile_file(main, catalog), compile_source(plain, filename="plain", catalog=catalog)
    assert first.ok, render_all(first.diagnostics)
    assert first.campaigns["c"].settings == second.campaigns["c"].settings
    assert len(first.campaigns["c"].ir.nodes) == len(second.campaigns["c"].ir.nodes)


def test_a_signal_by_the_name_of_an_import_is_a_mistake(tmp_path: Path) -> None:
    catalog = SignalCatalog.parse("signals: {c.p: {rate: 10}, c.q: {rate: 10}}", name="signals.yaml")
    main = written(tmp_path, main='import "a.trigger" as c\ntrigger t { when c.p > c.q }\n', a="let p = 1\n")
    (found,) = findings(compile_file(main, catalog), tmp_path)
    assert found.startswith("./main.trigger:1:23 LT221") and "`c.p`" in found
    main.write_text('import "a.trigger" as b\ntrigger t { when c.q > b.p }\n')
    assert compile_file(main, catalog).ok
