"""`python -m bench.search.pgstac --clips 100000`: searches by box and time, ours beside pgstac's, as Markdown.

Both answer the same bodies of STAC searches (limit 100, newest first) about the same items: those that our API shows,
without assets, of clips with a place. First each question's ids must be the same; then both are asked in turns. Ours is
the use case of the route `POST /stac/search`, which reads, makes items of what it finds, and is written as JSON here;
pgstac's is its function `search`, whose JSON is only received. `--url` names a database that `bench.search` has made.
"""

from __future__ import annotations

import argparse
import gc
import json
import random
import shutil
import signal
import statistics
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import text

from bench.machine import load
from bench.measure import ResultsDiffer
from bench.search.debian_postgres import DebianPostgres, PeerMissing
from bench.search.made import FIRST_NS, SPAN_NS, make
from bench.search.pgstac_catalog import Layout, Pgstac
from bench.search.timed import LIMIT, Took, timed, timed_with
from fleet_api.deployment.keys import ensure_signing_key
from fleet_api.services import Services, open_signer
from fleet_api.stac.usecases import MAX_ITEMS, find_items
from storage.database import Database
from storage.embedded import EmbeddedPostgres, scratch_dir
from storage.migrate import migrate
from storage.objects import open_store
from storage.settings import Settings
from triggers.contracts.api.stac.answers import STAC_VERSION
from triggers.contracts.api.stac.search import Fields, ItemSearch
from triggers.contracts.users import Role, User

SIDES = (0.05, 0.5, 5.0)
"""Of boxes around a clip, in degrees; besides there is the box of all clips."""
EVERYWHERE = (-20.0, 30.0, 40.0, 60.0)
DAYS = (1, 30, 365)
"""Of intervals of time around it."""
_WITHOUT_ASSETS = Fields(exclude=("assets",))
_ASKS = User("bench", frozenset({Role.ADMIN}))


@dataclass(frozen=True)
class BoxAndTime:
    """A question: the items in a box, in degrees, and in an interval of time."""

    kind: str
    bbox: tuple[float, float, float, float]
    datetime: str

    def body(self) -> dict[str, Any]:
        """The body of a STAC search, newest first as both sort without being told."""
        return {"bbox": list(self.bbox), "datetime": self.datetime, "limit": LIMIT}


@dataclass
class Answered:
    """What a question took with both, round by round; `found` is the number of items on its page."""

    question: BoxAndTime
    found: int
    ours: list[Took] = field(default_factory=list)
    theirs: list[Took] = field(default_factory=list)


def services_of(database: Database, folder: Path) -> Services:
    """What the use cases of the API work with, on a database."""
    settings = Settings(database_url=database.url, data_dir=folder)
    ensure_signing_key(settings)
    signer = open_signer(settings)
    return Services(settings, database, database, open_store(settings), key=None, signer=signer)


def items(services: Services) -> Iterator[dict[str, Any]]:
    """Every item that has a geometry, without which pgstac takes none, as our API shows it; assets are empty."""
    asked = ItemSearch(limit=MAX_ITEMS, fields=_WITHOUT_ASSETS)
    while True:
        page = find_items(services, _ASKS, asked)
        found = map(json.loads, page.items)
        yield from ({**item, "assets": {}} for item in found if item["geometry"] is not None)
        if page.next is None:
            return
        asked = asked.model_copy(update={"token": page.next})


def collections(database: Database) -> list[dict[str, Any]]:
    """The collections of all items, as STAC: no more than their names."""
    extent = {"spatial": {"bbox": [[-180, -90, 180, 90]]}, "temporal": {"interval": [[None, None]]}}
    plain = {"type": "Collection", "stac_version": STAC_VERSION, "license": "other", "extent": extent, "links": []}
    with database.begin() as connection:
        names = connection.execute(text("SELECT DISTINCT campaign FROM clip_fires ORDER BY campaign")).scalars().all()
    return [{**plain, "id": name, "description": name} for name in names]


def questions(database: Database, of_each: int, seed: int = 1) -> list[BoxAndTime]:
    """So many of each size of box and of interval, each around a clip that is drawn by the seed."""
    near = text("""
        SELECT min_longitude AS x, min_latitude AS y, start_ns FROM clips
        WHERE min_latitude IS NOT NULL AND start_ns >= :start ORDER BY start_ns LIMIT 1
    """)
    chance, found = random.Random(seed), []
    with database.begin() as connection:
        for side in (*SIDES, None):
            for days in DAYS:
                for _ in range(of_each):
                    start_ns = FIRST_NS + int(SPAN_NS * chance.random() * 0.999)
                    row = connection.execute(near, {"start": start_ns}).one()
                    found.append(_around(row.x, row.y, row.start_ns, side, days))
    return found


def _around(x: float, y: float, start_ns: int, side: float | None, days: int) -> BoxAndTime:
    half = (side or 0) / 2
    corners = tuple(round(at, 4) for at in (x - half, y - half, x + half, y + half))
    middle = datetime.fromtimestamp(start_ns // 10**9, UTC)
    first, last = (middle + timedelta(days=sign * days / 2) for sign in (-1, 1))
    kind = f"{'60 x 30' if side is None else side} degrees, {days} d"
    west, south, east, north = EVERYWHERE if side is None else corners
    return BoxAndTime(kind, (west, south, east, north), f"{first:%Y-%m-%dT%H:%M:%SZ}/{last:%Y-%m-%dT%H:%M:%SZ}")


def ours(services: Services, question: BoxAndTime) -> bytes:
    """Our answer as JSON, written as the route writes it."""
    asked = ItemSearch.from_json(json.dumps({**question.body(), "fields": {"exclude": ["assets"]}}).encode(), what="")
    return find_items(services, _ASKS, asked).collection()


def ids(answer: str | bytes) -> list[str]:
    """The ids of the items in an answer, in order."""
    return [item["id"] for item in json.loads(answer)["features"]]


def require_same(question: BoxAndTime, own: list[str], peers: list[str]) -> None:
    """ResultsDiffer unless both found the same items in the same order."""
    if own != peers:
        only = [len(set(one) - set(other)) for one, other in ((own, peers), (peers, own))]
        raise ResultsDiffer(f"{question}: {len(own)} items and {len(peers)}; {only[0]} and {only[1]} are found by one")


def compare(services: Services, peer: Pgstac, asked: Sequence[BoxAndTime], rounds: int) -> list[Answered]:
    """Ask all questions of both in turns, in another order each round; a round before that is checked, not timed."""
    answered = []
    for question in asked:
        found = ids(ours(services, question))
        require_same(question, found, ids(peer.search(question.body())))
        answered.append(Answered(question, len(found)))
    gc.collect()
    gc.freeze()  # as the API's process does once it has started
    for number in range(rounds):
        for one in random.Random(number).sample(answered, len(answered)):
            turns = [
                lambda one=one: one.ours.append(timed(services.database, partial(ours, services, one.question))[1]),
                lambda one=one: one.theirs.append(timed_with(peer.pid, partial(peer.search, one.question.body()))[1]),
            ]
            for turn in turns if number % 2 else reversed(turns):
                turn()
    return answered


def show(answered: Sequence[Answered]) -> None:
    """A table by size of box and of interval: p50 and p95 in ms of wall clock (of CPU; p50 of the backend's)."""
    print("| box and time | items | ours | pgstac | times as fast: p50, p95 (CPU) |\n|---|---|---|---|---|")
    kinds = list(dict.fromkeys(one.question.kind for one in answered))
    for kind in (*kinds, "all"):
        of_kind = [one for one in answered if kind in (one.question.kind, "all")]
        own, peers = ([each for one in of_kind for each in getattr(one, of)] for of in ("ours", "theirs"))
        ratios = [f"{_at(peers, share) / _at(own, share):.1f}" for share in (0.5, 0.95)]
        cpu = [f"{_at(peers, share, cpu=True) / _at(own, share, cpu=True):.1f}" for share in (0.5, 0.95)]
        found = [one.found for one in of_kind]
        items_found = f"{min(found)} to {max(found)}" if min(found) < max(found) else str(found[0])
        print(f"| {kind} | {items_found} | {_show(own)} | {_show(peers)} | {', '.join(ratios)} ({', '.join(cpu)}) |")
    pairs = [theirs.ms / own.ms for one in answered for own, theirs in zip(one.ours, one.theirs, strict=True)]
    slower = sum(ratio < 1 for ratio in pairs)
    print(f"\nmedian of {len(pairs)} pairs: {statistics.median(pairs):.1f} times as fast; slower in {slower}")


def _at(took: Sequence[Took], share: float, *, cpu: bool = False) -> float:
    ordered = sorted(each.cpu_ms if cpu else each.ms for each in took)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def _show(took: Sequence[Took]) -> str:
    wall, cpu = ([f"{_at(took, share, cpu=of_cpu):.1f}" for share in (0.5, 0.95)] for of_cpu in (False, True))
    backend = statistics.median(each.backend_ms for each in took)
    return f"{', '.join(wall)} ({', '.join(cpu)}; {backend:.1f})"


def main(argv: Sequence[str]) -> int:
    """The command line; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m bench.search.pgstac", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--clips", type=int, default=100_000)
    parser.add_argument("--url", help="a filled database of bench.search; its clips must have tracks")
    parser.add_argument("--peer", metavar="URL", help="a database for pgstac that is kept; filled if it is empty")
    parser.add_argument("--layout", type=Layout, choices=list(Layout), default=Layout.CAMPAIGNS)
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--questions", type=int, default=5, help="of each size of box and of interval")
    options = parser.parse_args(argv)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # servers and folders are cleaned up
    try:
        with ExitStack() as stack:
            _run(stack, options)
    except (PeerMissing, ResultsDiffer) as problem:
        sys.stderr.write(f"{problem}\n")
        return 1
    return 0


def _run(stack: ExitStack, options: argparse.Namespace) -> None:
    folder = scratch_dir("longtail-bench-")
    stack.callback(shutil.rmtree, folder, ignore_errors=True)
    url = options.url or stack.enter_context(EmbeddedPostgres(folder / "postgres")).url
    database = Database(url, pool_size=1)
    if not options.url:
        migrate(database)
        make(database, options.clips)
    with database.begin() as connection:
        if not connection.execute(text("SELECT EXISTS (SELECT FROM clips WHERE track IS NOT NULL)")).scalar_one():
            sys.exit("no clip of this database has a track, so none has a place to be found by: fill an empty one")
    services = services_of(database, folder / "longtail")
    dsn = options.peer or stack.enter_context(DebianPostgres(folder / "peer")).dsn
    peer = stack.enter_context(Pgstac(dsn))
    print(peer.versions(), f"load {load()}")
    if not peer.count():
        took_s = peer.fill(collections(database), items(services), options.layout)
        print(f"pgstac took {peer.count()} items in {took_s:.0f} s, layout {options.layout}")
    show(compare(services, peer, questions(database, options.questions), options.rounds))
    print(f"load {load()}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
