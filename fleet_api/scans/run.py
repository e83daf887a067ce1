"""One run of a scan, from where it is to its end: pages of clips, each evaluated in the reader and then written.

A page's results and the place of the next one are one transaction, so whoever goes on with a scan misses nothing and
repeats nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from fleet_api.campaigns.compilation import ConditionText, compile_condition_aside
from fleet_api.scans.reader import Reader
from fleet_api.scans.tasks import Answer, Task
from storage.clips.cql2 import Language
from storage.clips.positions import Sight
from storage.clips.positions.sight import EVERYTHING
from storage.clips.positions.signals import PositionSignals
from storage.clips.query import ClipQuery
from storage.database import Database
from storage.scans import jobs, pages
from storage.scans.jobs import Hit, PageDone, Scan
from storage.scans.pages import ScannedClip, Version
from storage.settings import Settings
from triggers.errors import DiagnosticsError, Forbidden, InvalidInput, Overloaded
from triggers.scan.condition import Condition

PAGE = 512
LEASE_S = 30.0
MAX_SIGNALS_BYTES = 256 * 1024**2
"""Of one clip's signals, which are read whole."""
NOT_EXTRACTED = "its signals are not extracted"
NO_CATALOG = "none of its campaigns has a signal catalog"


class ScanRun:
    """The run of one scan whose lease this process holds."""

    def __init__(
        self,
        database: Database,
        settings: Settings,
        positions: PositionSignals,
        scan: Scan,
        *,
        reader: Reader,
        keep_on: Callable[[], None],
    ) -> None:
        """`keep_on` raises when this process must stop."""
        self._database = database
        self._settings = settings
        self._positions = positions
        self._scan = scan
        self._reader = reader
        self._keep_on = keep_on
        self._sight = self._sight_of(scan)
        self._conditions = Conditions(scan.condition, database, self._sight)

    def to_the_end(self) -> None:
        """Run it. LeaseLost or NotFound when it is another's, or was removed; Unreachable when something is down."""
        scan = self._scan
        if scan.clips is None:
            self._count()
        while (stopped := self._stopped()) is None:
            page = self._read_page()
            done = self._scanned(page)
            with self._database.begin() as connection:
                self._scan = jobs.take_page(connection, self._scan, done, lease_s=LEASE_S)
                if page.next is None:  # in the same transaction: without a next page, it would begin again
                    jobs.finish(connection, self._scan)
                    return
        with self._database.begin() as connection:
            jobs.finish(connection, self._scan, stopped=stopped)

    def _sight_of(self, scan: Scan) -> Sight:
        """What its user saw of where cars were when it was begun."""
        if scan.sees_positions:
            return EVERYTHING
        with self._database.snapshot() as connection:
            return Sight(precise=False, declared=self._positions.declared(connection))

    def _stopped(self) -> str | None:
        """Why it ends before all clips are scanned, if it must."""
        scan, limits = self._scan, self._settings
        if scan.wanted is not None and scan.found >= scan.wanted:
            return f"the {scan.wanted} clips asked for were found"
        if scan.scanned >= limits.scan_clips:
            return f"a scan reads at most {limits.scan_clips} clips; narrow the filter, for instance by start"
        if scan.read_bytes >= limits.scan_bytes:
            return f"a scan reads at most {limits.scan_bytes} bytes of signals; narrow the filter"
        if scan.run_s >= limits.scan_s:
            return f"a scan takes at most {limits.scan_s} s; narrow the filter"
        return None

    def _query(self, token: str | None, limit: int) -> ClipQuery:
        scan = self._scan
        language: Language = "cql2-json" if scan.filter_lang == "cql2-json" else "cql2-text"
        return self._sight.query(
            ClipQuery.parse(filter_source=scan.filter, language=language, limit=limit, token=token)
        )

    def _count(self) -> None:
        try:
            with self._database.snapshot() as connection:
                count: int | None = pages.count(connection, self._query(None, 1), at_most=self._settings.scan_clips)
        except Overloaded:  # it is for the progress only
            count = None
        with self._database.begin() as connection:
            jobs.set_clips(connection, self._scan, count)

    def _read_page(self) -> pages.ScanPage:
        query = self._query(self._scan.position, min(PAGE, self._settings.scan_clips - self._scan.scanned))
        with self._database.snapshot() as connection:
            return pages.read_page(connection, query)

    def _scanned(self, page: pages.ScanPage) -> PageDone:
        begun = time.monotonic()
        self._conditions.know({version for clip in page.clips for version in clip.versions})
        self._reader.use(self._conditions.compiled)
        tasks: dict[str, Task] = {}
        left_out: list[tuple[str, str]] = []
        for clip in page.clips:
            reason = _not_readable(clip) or self._conditions.problem(clip)
            if reason is None and clip.signals_key is not None:
                tasks[clip.id] = Task(clip.signals_key, self._conditions.candidates(clip))
            else:
                left_out.append((clip.id, reason or NOT_EXTRACTED))
        answers = dict(zip(tasks, self._reader.evaluate(list(tasks.values()), self._ask), strict=True))
        done = PageDone(
            scanned=len(page.clips),
            hits=[_hit(clip_id, answer) for clip_id, answer in answers.items() if answer.count],
            left_out=[*left_out, *((clip_id, answer.problem) for clip_id, answer in answers.items() if answer.problem)],
            read_bytes=sum(clip.signals_bytes for clip in page.clips if clip.id in tasks),
            run_s=time.monotonic() - begun,
            position=page.next,
        )
        return self._only_wanted(done)

    def _only_wanted(self, done: PageDone) -> PageDone:
        """Without hits beyond those that were asked for."""
        wanted = None if self._scan.wanted is None else self._scan.wanted - self._scan.found
        if wanted is None or len(done.hits) <= wanted:
            return done
        return replace(done, hits=done.hits[:wanted])

    def _ask(self) -> None:
        """Keep the lease while a page is being evaluated, and give up when there is no more use in it."""
        self._keep_on()
        with self._database.begin() as connection:
            jobs.renew(connection, self._scan, lease_s=LEASE_S)


class Conditions:
    """The condition of a scan, compiled against each signal catalog that its clips' campaigns have."""

    def __init__(self, condition: str, database: Database, sight: Sight) -> None:
        self._condition = condition
        self._database = database
        self._sight = sight
        self._by_text: dict[str, int | str] = {}
        """By the text of a catalog: the index of what was compiled, or why that cannot be."""
        self._by_version: dict[Version, int | str] = {}
        self.compiled: list[Condition] = []

    def know(self, versions: set[Version]) -> None:
        """Compile for catalogs that are new; each once, in a child process with limits."""
        unknown = versions - self._by_version.keys()
        if not unknown:
            return
        with self._database.snapshot() as connection:
            texts = pages.catalogs(connection, unknown)
        for version in sorted(texts):
            text = texts[version]
            if text not in self._by_text:
                self._by_text[text] = self._compiled(text)
            self._by_version[version] = self._by_text[text]

    def _compiled(self, catalog: str) -> int | str:
        try:
            condition, _ = compile_condition_aside(ConditionText(self._condition, catalog))
            self._sight.require_condition(condition.signals)
        except DiagnosticsError as error:
            errors = [each for each in error.diagnostics if each.get("severity") == "error"]
            return str(errors[0]["message"]) if errors else error.message
        except (InvalidInput, Forbidden) as error:
            return error.message
        if condition in self.compiled:
            return self.compiled.index(condition)
        self.compiled.append(condition)
        return len(self.compiled) - 1

    def candidates(self, clip: ScannedClip) -> tuple[int, ...]:
        """The conditions to try for a clip, by their indexes: those of its fires' campaigns, earliest fire first."""
        found = (self._by_version.get(version) for version in clip.versions)
        return tuple(dict.fromkeys(index for index in found if isinstance(index, int)))

    def problem(self, clip: ScannedClip) -> str | None:
        """Why there is no condition for a clip, if there is none."""
        if self.candidates(clip):
            return None
        for campaign, version in clip.versions:
            problem = self._by_version.get((campaign, version))
            if isinstance(problem, str):
                return f"the signal catalog of {campaign} version {version}: {problem}"[:500]
        return NO_CATALOG


def _not_readable(clip: ScannedClip) -> str | None:
    if clip.signals_key is None:
        return f"{NOT_EXTRACTED} (it is {clip.state})"
    if clip.signals_bytes > MAX_SIGNALS_BYTES:
        return f"its signals have more than {MAX_SIGNALS_BYTES} bytes"
    return None


def _hit(clip_id: str, answer: Answer) -> Hit:
    return Hit(clip_id, answer.t_ns, answer.count)
