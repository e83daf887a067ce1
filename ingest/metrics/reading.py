"""The reading of sources of metrics: each in a thread and within a bound of its own, so that none costs the others."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from ingest.metrics import names
from ingest.metrics.names import Family
from triggers.errors import LongtailError

WITHIN_S = 8.0
"""How long a source may take: Prometheus gives up after 10 s by default."""
CLOSE_S = 5.0
"""How long the end of the process waits for sources that are being read."""
_log = logging.getLogger(__name__)


class Source(Protocol):
    """Something that metrics are read from when they are asked for."""

    @property
    def name(self) -> str:
        """What it is called in `longtail_metrics_collected`."""
        ...

    def families(self) -> Iterable[Family]:
        """Metrics with their values; any LongtailError when they cannot be read now."""
        ...


class Run:
    """One reading of a source, for everybody who asks while it runs."""

    def __init__(self, source: Source, within_s: float, monotonic_s: Callable[[], float]) -> None:
        self._source = source
        self._within_s = within_s
        self._now_s = monotonic_s
        self._ended = threading.Event()
        self._began_s = monotonic_s()
        self._families: tuple[Family, ...] | None = None
        self._problem = "the process ends"
        self._thread = threading.Thread(target=self._read, name=f"metrics of {source.name}", daemon=True)
        self._thread.start()

    @property
    def is_over(self) -> bool:
        """Whether there is nothing more to read; its thread may be ending, and has nothing more to say."""
        return self._ended.is_set()

    def families(self) -> Sequence[Family] | None:
        """What there is; None, and a line in the log, when it fails or takes longer than its bound.

        Whoever asks for one that is beyond its bound does not wait at all.
        """
        if self._ended.wait(max(0.0, self._began_s + self._within_s - self._now_s())):
            found, problem = self._families, self._problem
        else:
            found, problem = None, f"no answer for {self._now_s() - self._began_s:.0f} s"
        if found is None:
            _log.warning("metrics of %s are missing: %s", self._source.name, problem)
        return found

    def close(self, within_s: float) -> None:
        """Tell those who wait that nothing comes, and wait for the thread, so long at most."""
        self._ended.set()
        self._thread.join(within_s)

    def _read(self) -> None:
        try:
            self._families = tuple(self._source.families())
        except LongtailError as error:
            self._problem = str(error)
        except Exception as error:  # noqa: BLE001 - a defect in one source must not cost the others
            _log.exception("metrics of %s cannot be read", self._source.name)
            self._problem = type(error).__name__
        finally:
            self._ended.set()


class Readers:
    """Sources that are read side by side, each by one thread at a time."""

    def __init__(
        self,
        sources: Iterable[Source],
        *,
        within_s: float = WITHIN_S,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._sources = tuple(sources)
        self._within_s = within_s
        self._now_s = monotonic_s
        self._lock = threading.Lock()
        self._runs: dict[str, Run] = {}
        self._is_closed = False

    def families(self) -> list[Family]:
        """Everything that can be read now, and which sources could be."""
        runs = self._begin()
        found: list[Family] = []
        collected = []
        for name, run in runs.items():
            families = run.families()
            found += families or ()
            collected.append(((name,), float(families is not None)))
        return [*found, names.COLLECTED.family(collected)]

    def close(self) -> None:
        """Begin no reading any more, and wait for those that run, CLOSE_S at most."""
        with self._lock:
            self._is_closed = True
        until_s = self._now_s() + CLOSE_S
        for run in self._runs.values():
            run.close(max(0.0, until_s - self._now_s()))

    def _begin(self) -> dict[str, Run]:
        """The readings that run, begun where none does."""
        with self._lock:
            for source in self._sources if not self._is_closed else ():
                run = self._runs.get(source.name)
                if run is None or run.is_over:
                    self._runs[source.name] = Run(source, self._within_s, self._now_s)
            return dict(self._runs)
