"""Random trigger files: lets, fences, and triggers that share work, over a random catalog."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from tests.triggers.language.randomised.catalogs import RandomCatalog, random_catalog
from tests.triggers.language.randomised.conditions import Author
from tests.triggers.language.randomised.objects.conditions import ObjectWriter
from tests.triggers.language.randomised.words import CENTRE, Made

_WINDOWS = ("1 ns", "40 ms", "300 ms", "1 s", "2.5 s", "1 min")
_COOLDOWNS = ("", "", "\n    cooldown 0 s", "\n    cooldown 70 ms", "\n    cooldown 1 s", "\n    cooldown 10 s")


@dataclass(frozen=True)
class RandomProgram:
    """A trigger file and its catalog, both as text."""

    catalog: RandomCatalog
    source: str


def random_program(random: Random, *, triggers: int = 4, depth: int = 4) -> RandomProgram:
    """A file with up to so many triggers, their conditions nested up to so deep; its one campaign collects all."""
    catalog = random_catalog(random)
    author = Author(random, catalog)
    blocks = [_fence(author, index) for index in range(random.choice((0, 1, 1, 2)))]
    blocks += [_let(author, index, depth) for index in range(random.choice((0, 0, 1, 2)))]
    names = [f"t{index}" for index in range(random.randrange(1, triggers + 1))]
    for name in names:
        condition = _condition(author, random.randrange(1, depth + 1))
        blocks.append(f"trigger {name} {{\n    when {condition.text}{random.choice(_COOLDOWNS)}\n}}")
    compared = _compared(random, catalog)
    compare = f"\n    compare {', '.join(compared)}" if compared else ""
    blocks.append(f"campaign all {{\n    collect {', '.join(names)}{compare}\n    budget 1 clips\n}}")
    language = "language 2\n" if catalog.lists else ""
    return RandomProgram(catalog, language + "\n".join(blocks) + "\n")


def _condition(author: Author, depth: int) -> Made:
    """A trigger's condition; where the catalog has lists of objects, mostly on these."""
    condition = author.condition(depth)
    if not author.catalog.lists or author.chance(0.3):
        return condition
    told = ObjectWriter(author, author.catalog.lists, author.condition).told(min(depth, 3))
    both = Made(f"({told.text} and ({condition.text}))", "bool", told.signals | condition.signals)
    return author.random.choice((told, both))


def _compared(random: Random, catalog: RandomCatalog) -> list[str]:
    """What the campaign compares, if anything: the pairs of the bool head, its events, with or without a driver."""
    compared = ["cut_in.seen"] if random.random() < 0.3 and _has_pairs(catalog) else []
    if random.random() < 0.3:
        driver = random.choice(("", "", " with driver.brake", " with p"))
        compared.append(f"events cut_in.seen{driver} within {random.choice(_WINDOWS)}")
    return compared


def _has_pairs(catalog: RandomCatalog) -> bool:
    """Whether both bool heads have a rate, which gives the skew within which their samples are compared."""
    return all(catalog.signals[f"{head}.cut_in.seen"].rate for head in ("active", "shadow"))


def _fence(author: Author, index: int) -> str:
    """A fence of corners on a grid around the centre, so that positions lie on its edges, too."""
    name = f"fence{index}"
    corners = [
        tuple(round(centre + author.random.randrange(-4, 5) * 0.005, 4) for centre in CENTRE)
        for _ in range(author.random.choice((3, 4, 4, 5, 9)))
    ]
    author.fences.append(name)
    return f"fence {name} {{ {', '.join(f'({latitude}, {longitude})' for latitude, longitude in corners)} }}"


def _let(author: Author, index: int, depth: int) -> str:
    """A name for an expression, which the triggers then use."""
    made = author.condition(depth - 1) if author.chance(0.5) else author.number(author.family(), depth - 1)
    name = f"let{index}"
    author.known += [Made(name, made.type, made.signals)] * 3
    return f"let {name} = {made.text}"
