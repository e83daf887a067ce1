"""Check-in of a vehicle: it reports to the cloud, gets its signed list of campaigns, and fetches their bundles.

Only what a trusted key signed is accepted. A list must name this vehicle, be unexpired, not be older than the current
one, and not lie in the future: see `triggers.vehicle.freshness`. What was refused
is reported at the next check-in; everything else continues. The list and its bundles are kept, verified again at each
start, and followed until the list expires.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC
from email.utils import parsedate_to_datetime

import httpx

from triggers.contracts import signing
from triggers.contracts.bundle import MAX_BUNDLE_BYTES, Bundle, open_bundle
from triggers.contracts.checkin import Assignment, AssignmentList, CheckIn, FireCounts, Telemetry
from triggers.contracts.limits import MAX_TELEMETRY_BYTES
from triggers.contracts.trust import MAX_STEPS, MAX_TRUST_BYTES, steps_and_list
from triggers.errors import InvalidInput, LongtailError, Untrusted
from triggers.language.rows import MAX_T_NS
from triggers.times import NS_PER_S
from triggers.vehicle.clock import Clock
from triggers.vehicle.config import VehicleConfig
from triggers.vehicle.freshness import Freshness
from triggers.vehicle.http import MAX_PROBLEM_BYTES, json_body, reaching, read_bounded, refusal
from triggers.vehicle.journal.journal import Journal
from triggers.vehicle.trust import VehicleTrust
from triggers.vehicle.trusted_time import TrustedTime

MAX_LIST_BYTES = 4 * 1024**2
MAX_ANSWER_BYTES = MAX_LIST_BYTES + (MAX_STEPS + 1) * MAX_TRUST_BYTES
MAX_PROBLEMS = 100
MAX_PROBLEM_CHARACTERS = 1000
COUNTS_PER_REPORT = 1000
REPORT_BYTES = MAX_TELEMETRY_BYTES // 2
"""Largest report; the counts of one version always fit."""

NOT_THE_API = "check api_url, and whether a login page of the network answers in its place"
LIST = "assignments"
CLOCK_OFFSET = "clock_offset_ns"
DATE_SPAN_NS = 2 * NS_PER_S


class CheckInClient:
    """The vehicle's side of check-in and telemetry, over one HTTP client."""

    def __init__(self, config: VehicleConfig, journal: Journal, http: httpx.Client, clock: Clock) -> None:
        self._config = config
        self._journal = journal
        self._http = http
        self._clock = clock
        self._problems: list[str] = []
        self._time = TrustedTime(journal, clock)
        self._fresh = Freshness(journal, self._time)
        self._trust = VehicleTrust(config, journal)
        self._moved = False
        if self._trust.problem:
            self.report_problem(self._trust.problem)
        if self._trust.replaced:
            self._fresh.forget()
        self._list = self._kept_list()

    @property
    def assignments(self) -> AssignmentList | None:
        """The list that the vehicle follows, expired or not; None before the first check-in."""
        return self._list

    @property
    def suspended(self) -> bool:
        """True while no list is in force, so that nothing may fire."""
        return self._list is None or self._fresh.is_over(self._list)

    @property
    def clock_offset_ns(self) -> int:
        """Vehicle clock minus cloud clock at the latest check-in (by the HTTP date: to about a second)."""
        return int((self._journal.fact(CLOCK_OFFSET) or b"0").decode())

    def take_moved(self) -> bool:
        """Whether the trusted keys have changed since this was asked last; bundles must be opened again then."""
        moved, self._moved = self._moved, False
        return moved

    def keep_time(self) -> None:
        """Let the journal know how late it is, before the vehicle is switched off."""
        self._time.keep()

    def report_problem(self, problem: str) -> None:
        """Remember a problem for the next check-in."""
        text = problem[:MAX_PROBLEM_CHARACTERS]
        if text not in self._problems and len(self._problems) < MAX_PROBLEMS:
            self._problems.append(text)

    def check_in(self) -> bool:
        """Ask for the list and adopt it; True if the campaigns changed.

        Raises Unreachable, Unauthenticated, Forbidden or Overloaded if the API gives no list, and Untrusted if the list
        must not be used; the vehicle then keeps its current list. Missing bundles are fetched whether or not the list
        changed. If the clock stands outside of the times that can be sent, the nearest is sent, and a problem.
        """
        url = f"{self._base}/check-in"
        asked_ns = self._clock.now_ns()
        if asked_ns != sendable(asked_ns):
            self.report_problem(f"the vehicle's clock stands outside the years 1970 to 2262, at {asked_ns} ns")
        reported = list(self._problems)
        body = CheckIn(
            attributes=dict(self._config.attributes),
            software=dict(self._config.software),
            have=self._have(),
            revision=self._fresh.revision,
            trust=self._trust.version,
            vehicle_time_ns=sendable(asked_ns),
            problems=tuple(reported),
        )
        with (
            reaching("the API", "api_url", url),
            self._http.stream("POST", url, **json_body(body.canonical_json())) as reply,
        ):
            answered_ns = self._clock.now_ns()
            answer = read_bounded(reply, MAX_ANSWER_BYTES)
        if reply.status_code not in (httpx.codes.OK, httpx.codes.NOT_MODIFIED):
            raise refusal(reply, answer, "the API refused the check-in")
        if reply.status_code == httpx.codes.NOT_MODIFIED and body.have is None:
            raise Untrusted("the API answered 304 to a check-in that asked for the whole list", remedy=NOT_THE_API)
        moved, sealed = self._followed(answer) if reply.status_code == httpx.codes.OK else (False, b"")
        offered = self._opened(sealed) if reply.status_code == httpx.codes.OK else None
        # Only now: what the login page of a network answers says nothing about the cloud's clock.
        date_ns = _date_ns(reply)
        self._measure_clock(date_ns, asked_ns, answered_ns)
        changed = offered is not None and self._adopt(offered, sealed, date_ns)
        self._problems = [problem for problem in self._problems if problem not in reported]
        fetched = self._fetch_missing()
        return changed or fetched or moved

    def bundles(self) -> list[Bundle]:
        """The stored bundles of the current list that can be trusted; each of the others becomes a problem."""
        bundles = []
        for assignment in self._list.assignments if self._list else ():
            sealed = self._journal.bundle(assignment.bundle_digest)
            try:
                if sealed is not None:
                    bundles.append(self._open(sealed, assignment))
            except LongtailError as error:
                self._refuse(assignment, error)
        return bundles

    def send_counts(self, counts: tuple[FireCounts, ...]) -> None:
        """Report what became of the fires; sending the same counts again changes nothing."""
        url = f"{self._base}/telemetry"
        for part in _parts(counts):
            report = Telemetry(counts=part, reported_at_ns=sendable(self._clock.now_ns()))
            with (
                reaching("the API", "api_url", url),
                self._http.stream("POST", url, **json_body(report.canonical_json())) as reply,
            ):
                body = read_bounded(reply, MAX_PROBLEM_BYTES)
            if reply.status_code != httpx.codes.NO_CONTENT:
                raise refusal(reply, body, "the API refused the report of counts")

    @property
    def _base(self) -> str:
        return f"{self._config.api_url.rstrip('/')}/v1/vehicles/{self._config.vehicle_id}"

    def _have(self) -> str | None:
        """The digest of the current list; None once half its lifetime is over, since a 304 would not renew it."""
        if self._list is None:
            return None
        middle_ns = (self._list.issued_at_ns + self._list.expires_at_ns) // 2
        return self._list.content_digest if self._time.now_ns() < middle_ns and not self.suspended else None

    def _measure_clock(self, date_ns: int | None, asked_ns: int, now_ns: int) -> None:
        """Our clock minus the cloud's, by the `Date` of the reply; 0 if they may be equal.

        `Date` has whole seconds, and many servers renew it only once per second. The cloud's clock was then between
        `Date` and 2 s later, and ours between the request and its answer.
        """
        if date_ns is None:
            return
        can_agree = asked_ns < date_ns + DATE_SPAN_NS and date_ns <= now_ns
        offset_ns = 0 if can_agree else now_ns - date_ns
        if offset_ns != self.clock_offset_ns:
            self._journal.set_facts({CLOCK_OFFSET: str(offset_ns).encode()})

    def _kept_list(self) -> AssignmentList | None:
        sealed = self._journal.fact(LIST)
        if sealed is None:
            return None
        try:
            return self._unseal(sealed)
        except LongtailError as error:
            self.report_problem(f"the kept list of campaigns is refused: {error}")
            return None

    def _unseal(self, sealed: bytes) -> AssignmentList:
        if len(sealed) > MAX_LIST_BYTES:
            raise InvalidInput(f"the list of campaigns is longer than {MAX_LIST_BYTES} bytes")
        lists = self._trust.lists
        payload = signing.unseal(sealed, purpose=signing.ASSIGNMENTS, trusted=lists.trusted, threshold=lists.threshold)
        assignments = AssignmentList.from_json(payload, what="the list of campaigns")
        if assignments.vehicle_id != self._config.vehicle_id:
            raise Untrusted(f"the list of campaigns is for vehicle {assignments.vehicle_id}, not for this one")
        return assignments

    def _followed(self, answer: bytes) -> tuple[bool, bytes]:
        """Follow the steps of trust in an answer; whether there were any, and the sealed list after them.

        After a list key was taken out, nothing that lists have said so far counts.
        """
        before = self._trust.version
        try:
            steps, sealed = steps_and_list(answer)
            if self._trust.follow(steps):
                self._fresh.forget()
        except LongtailError as error:
            self.report_problem(str(error))
            raise
        finally:
            if self._trust.version != before:
                self._moved = True
                self._list = self._kept_list()
        return self._trust.version != before, sealed

    def _opened(self, sealed: bytes) -> AssignmentList:
        """The list in these bytes; a list that cannot be trusted is reported at the next check-in."""
        try:
            self._trust.require_in_force(self._time.now_ns())
            return self._unseal(sealed)
        except LongtailError as error:
            self.report_problem(str(error))
            raise

    def _adopt(self, offered: AssignmentList, sealed: bytes, date_ns: int | None) -> bool:
        """Follow a list from now on, if it is fresh; True if it differs from the previous one."""
        try:
            self._fresh.check(offered, self._list, date_ns=date_ns)
        except LongtailError as error:
            self.report_problem(str(error))
            raise
        changed = self._list is None or self._list.content_digest != offered.content_digest
        self._journal.set_facts({LIST: sealed})
        self._fresh.accepted(offered)
        self._list = offered
        return changed

    def _fetch_missing(self) -> bool:
        """Fetch missing bundles; True if one was fetched. A bundle that fails becomes a problem."""
        fetched = False
        assignments = self._list.assignments if self._list else ()
        self._journal.keep_bundles(assignment.bundle_digest for assignment in assignments)
        for assignment in assignments:
            if self._journal.bundle(assignment.bundle_digest) is not None:
                continue
            try:
                sealed = self._fetch(assignment)
                self._open(sealed, assignment)
            except LongtailError as error:
                self._refuse(assignment, error)
            else:
                self._journal.add_bundle(assignment.bundle_digest, sealed)
                fetched = True
        return fetched

    def _fetch(self, assignment: Assignment) -> bytes:
        url = f"{self._config.api_url.rstrip('/')}/v1/bundles/{assignment.bundle_digest}"
        with reaching("the API", "api_url", url), self._http.stream("GET", url) as reply:
            sealed = read_bounded(reply, MAX_BUNDLE_BYTES)
        if reply.status_code != httpx.codes.OK:
            raise refusal(reply, sealed, "the API did not send the bundle")
        return sealed

    def _open(self, sealed: bytes, assignment: Assignment) -> Bundle:
        if hashlib.sha256(sealed).hexdigest() != assignment.bundle_digest:
            raise Untrusted("the bundle does not have the digest that the list of campaigns names")
        signers = self._trust.bundles
        bundle = open_bundle(sealed, signers.trusted, threshold=signers.threshold)
        if (bundle.settings.name, bundle.version) != (assignment.campaign, assignment.version):
            raise Untrusted(f"the bundle is for {bundle.settings.name} version {bundle.version}")
        return bundle

    def _refuse(self, assignment: Assignment, error: LongtailError) -> None:
        self.report_problem(f"{assignment.campaign} version {assignment.version} does not run: {error}")


def sendable(t_ns: int) -> int:
    """The time in ns that can be sent (1970 to 2262) and is nearest to this one."""
    return max(0, min(t_ns, MAX_T_NS))


def _date_ns(reply: httpx.Response) -> int | None:
    """The `Date` of a reply; None if it has none that can be read."""
    try:
        said = parsedate_to_datetime(reply.headers.get("Date", ""))
        return int(said.astimezone(UTC).timestamp()) * NS_PER_S
    except (ValueError, OverflowError):
        return None


def _parts(counts: tuple[FireCounts, ...]) -> Iterator[tuple[FireCounts, ...]]:
    """The counts, split into reports that are small enough."""
    part: list[FireCounts] = []
    size_bytes = 0
    for version in counts:
        own_bytes = len(version.canonical_json())
        if part and (len(part) == COUNTS_PER_REPORT or size_bytes + own_bytes > REPORT_BYTES):
            yield tuple(part)
            part, size_bytes = [], 0
        part.append(version)
        size_bytes += own_bytes
    if part:
        yield tuple(part)
