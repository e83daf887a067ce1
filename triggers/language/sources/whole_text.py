"""The whole text of a trigger file: the file itself, the files that it imports, and the values that were set.

It is a trigger file by itself, and so what is compiled, sent, stored and shown to approvers. `file "NAME" { ... }` has
the text of an imported file, without any change.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from triggers.language.text.diagnostics import Source, SourcePart


@dataclass(frozen=True, slots=True)
class WholeText:
    """A text, and which parts of it are whose; without `parts` all of it is the file itself."""

    text: str
    filename: str
    parts: tuple[SourcePart, ...] = ()

    def source(self) -> Source:
        """The text, whose places are told by the file and line where the author wrote it."""
        return Source(self.text, self.filename, self.parts)

    def with_file(self, name: str, shown: str, text: str) -> WholeText:
        """With an imported file, which messages call `shown`."""
        before = f'{self.text}{_end_of_line(self.text)}\nfile "{name}" {{\n'
        part = SourcePart(len(before), len(before) + len(text), shown)
        return replace(self, text=f"{before}{text}{_end_of_line(text)}}}\n", parts=(*self.parts, part))

    def replaced(self, start: int, end: int, text: str) -> WholeText:
        """With another text, of one line, in the place of a part of a line."""
        shift = len(text) - (end - start)
        parts = tuple(
            replace(part, start=part.start + shift * (part.start >= end), end=part.end + shift * (part.end >= end))
            for part in self.parts
        )
        return replace(self, text=self.text[:start] + text + self.text[end:], parts=parts)

    def with_remarks(self, remarks: Iterable[str]) -> WholeText:
        """With comments at the end."""
        lines = "".join(f"# {remark}\n" for remark in remarks)
        return replace(self, text=f"{self.text}{_end_of_line(self.text)}{lines}") if lines else self


def _end_of_line(text: str) -> str:
    return "" if text.endswith("\n") or not text else "\n"
