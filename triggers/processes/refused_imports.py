"""Packages that a process does without although they are installed: libraries load some of them unasked."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from types import ModuleType


class _Refusing(MetaPathFinder):
    def __init__(self, names: frozenset[str]) -> None:
        self._names = names

    def find_spec(self, name: str, _path: Sequence[str] | None, _target: ModuleType | None = None) -> None:
        """ModuleNotFoundError, as if the package were not installed; None leaves all others to the other finders."""
        if name in self._names:
            raise ModuleNotFoundError(f"this process does without {name}", name=name)


def refuse_imports(*names: str) -> None:
    """From now on these packages, which are not loaded yet, count as not installed in this process."""
    sys.meta_path.insert(0, _Refusing(frozenset(names)))
