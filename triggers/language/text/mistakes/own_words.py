"""LT22x: words of a file's own: lets with arguments, constants, and their names."""

from __future__ import annotations

from collections.abc import Sequence

from triggers.language.text.diagnostics import Span
from triggers.language.text.mistakes.collector import Collector, did_you_mean, quoted


class OwnWordMistakes(Collector):
    """LT22x: words of a file's own: lets with arguments, constants, and their names."""

    def wrong_let_arguments(self, span: Span, name: str, arguments: Sequence[str], given: int) -> None:
        """LT220: a `let` called with the wrong number of arguments, or without any."""
        if not arguments:
            self._error("LT220", span, f"`{name}` is a `let` without arguments", f"write `{name}`")
            return
        wanted = "1 argument" if len(arguments) == 1 else f"{len(arguments)} arguments"
        message = f"`{name}` has {wanted}, but is given {given}" if given else f"`{name}` needs {wanted}"
        if given == len(arguments):
            message = f"`{name}` is a `let`, which takes only arguments: no `over` or `within`"
        self._error("LT220", span, message, f"write `{name}({', '.join(arguments)})`")

    def taken_name(self, span: Span, name: str, kind: str) -> None:
        """LT221: a constant, an argument or a `let` with arguments, named like something that it would hide."""
        article = "an" if kind in ("argument", "import", "operator") else "a"
        message = f"`{name}` is already the name of {article} {kind}, which could not be read here any more"
        self._error("LT221", span, message, "choose another name")

    def no_constant(self, span: Span, name: str, what: str, nearest: Sequence[str]) -> None:
        """LT222: a name where only a constant may stand, and that names none."""
        if what:
            message = f"only a constant may stand here, but `{name}` is {what}"
            self._error(
                "LT222",
                span,
                message,
                "write the number itself" + ("" if self.alone else ", or define a `param` and write its name"),
            )
        else:
            define = "" if "." in name or self.alone else f"define it: `param {name} = ...`"
            proposal = did_you_mean(nearest) or define or "write the number itself"
            self._error("LT222", span, f"there is no constant `{name}`", proposal)

    def empty_set(self, span: Span, name: str) -> None:
        """LT223: a set without items."""
        self._error(
            "LT223", span, f"the set `{name}` is empty, so nothing could be in it", f'write `set {name} = ("a", "b")`'
        )

    def set_as_value(self, span: Span, name: str) -> None:
        """LT224: a set where a value should stand, or something else where a set should."""
        self._error("LT224", span, f"`{name}` is a set, not a value", f"write `x in {name}`")

    def no_set(self, span: Span, name: str, what: str, nearest: Sequence[str]) -> None:
        """LT224 for something else after `in`."""
        if what == "a list of objects":
            proposal = f"ask for its objects, as in `any(o in {name} where o.x < 20 m)`"
            self._error("LT224", span, f"a set must follow `in`, but `{name}` is {what}", proposal)
        elif what:
            self._error("LT224", span, f"a set must follow `in`, but `{name}` is {what}", f"write `in ({name})`")
        else:
            define = (
                'list the values, as in `x in ("a", "b")`' if self.alone else f'define it: `set {name} = ("a", "b")`'
            )
            proposal = did_you_mean(nearest) or define
            self._error("LT224", span, f"there is no set `{name}`", proposal)

    def bad_import(self, span: Span, path: str) -> None:
        """LT225: an import that names no file below the folder of the file that imports."""
        proposal = 'write a relative path with `/`, without `..`, as in `import "common/brakes.trigger" as c`'
        self._error("LT225", span, f"`{path[:80]}` cannot be imported", proposal)

    def import_outside(self, span: Span, name: str) -> None:
        """LT225 for a link that leads out of the folder."""
        message = f"`{name}` leads out of the folder of the file that imports it"
        self._error("LT225", span, message, "copy the file into the folder")

    def no_import(self, span: Span, name: str, reason: str) -> None:
        """LT226: an imported file that cannot be read, or that a text does not contain."""
        self._error("LT226", span, f"`{name}` cannot be imported: {reason}")

    def not_contained(self, span: Span, name: str) -> None:
        """LT226 for a text that was sent without the files that it imports."""
        message = f"the text of `{name}`, which is imported here, was not sent with this file"
        proposal = f'submit the file with `longtail campaign apply`, which adds it as `file "{name}" {{ ... }}`'
        self._error("LT226", span, message, proposal)

    def too_much_imported(self, span: Span, name: str, limit: int) -> None:
        """LT226 for imports that are too large together."""
        message = f"with `{name}` the file and its imports have more than {limit:,} bytes"
        self._error("LT226", span, message, "import less")

    def circular_import(self, span: Span, way: Sequence[str]) -> None:
        """LT227: a file that imports itself, directly or not."""
        shown = " imports ".join(quoted([name]) for name in way)
        self._error(
            "LT227", span, f"`{way[-1]}` imports itself: {shown}" if len(way) > 1 else "a file cannot import itself"
        )

    def contained_twice(self, span: Span) -> None:
        """LT228: a file within the text of another file, or two of the same name."""
        self._error("LT228", span, "the text of a file cannot contain another file", "put it after the closing brace")

    def same_file(self, span: Span, name: str) -> None:
        """LT228 for two texts of one file."""
        self._error("LT228", span, f"there is already a text of the file `{name}`", "keep one of them")

    def not_in_import(self, span: Span, name: str, path: str, nearest: Sequence[str]) -> None:
        """LT229: a name that an imported file does not define."""
        self._error("LT229", span, f"`{path}` defines no `{name}`", did_you_mean(nearest))

    def hidden_signal(self, span: Span, name: str) -> None:
        """LT221 for an import by whose name a signal begins."""
        message = f"`{name}` is the name of a signal, and of what is imported here"
        self._error("LT221", span, message, "import it as another name")

    def no_value(self, span: Span, text: str) -> None:
        """LT230: a value set from outside for a param that does not exist, or of another kind than the param's."""
        self._error(
            "LT230", span, f"`{text[:80]}` sets nothing", "write the name of a param and its value: `hold=500ms`"
        )

    def unknown_param(self, span: Span, name: str, nearest: Sequence[str], known: Sequence[str]) -> None:
        """LT230 for a name that no param has."""
        proposal = did_you_mean(nearest) or (f"its params are {quoted(known[:10], 'and')}" if known else "")
        self._error("LT230", span, f"the file has no param `{name[:80]}`", proposal)

    def set_twice(self, span: Span, name: str, same: str) -> None:
        """LT230 for a param that is set twice; `same` is how it was called before, as a file may be imported twice."""
        what = f"`{name}` is set twice" if name == same else f"`{name}` and `{same}` are one param, which is set twice"
        self._error("LT230", span, what, "keep one of them")

    def bad_value(self, span: Span, name: str, text: str, *, kind: str, example: str, declared: str) -> None:
        """LT230 for a value that does not fit; `declared` says where the param is, and what it is there."""
        proposal = f"write, for example, `{name}={example}`; {declared}"
        self._error("LT230", span, f"`{name}` is {kind}, and `{text[:80]}` is not", proposal)

    def bad_range(self, span: Span, text: str, why: str) -> None:
        """LT230 for a range of values that is none."""
        proposal = "write, for example, `100ms..1s/10`: ten values from 100 ms to 1 s"
        self._error("LT230", span, f"`{text[:80]}` is not a range: {why}", proposal)

    def too_many_values(self, span: Span, count: int, most: int) -> None:
        """LT230 for a sweep over more values than are run together."""
        self._error("LT230", span, f"{count} values, and at most {most} are swept at once", "take fewer of them")

    def unused_argument(self, span: Span, name: str, argument: str) -> None:
        """LT919: an argument that its `let` does not use."""
        self._warning("LT919", span, f"`{name}` does not use its argument {quoted([argument])}", "leave it out")
