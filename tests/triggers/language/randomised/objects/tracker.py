"""Random samples of lists of objects, as a tracker that works badly gives them."""

from __future__ import annotations

from math import inf, nan
from random import Random

from triggers.language.ir import Input, InputField
from triggers.signals.objects import ObjectSample

_ODD_KEYS = (0, -1, -(1 << 63), (1 << 63) - 1, 2**53, 2**53 + 1, -(2**53) - 1)
_NUMBERS = (-2.0, -1.0, -0.0, 0.0, 0.5, 1.0, 1.0, 2.0, 3.0)
_ODD_NUMBERS = (nan, nan, inf, -inf, 1e300, -1.7e308, 5e-324)


class Tracker:
    """Objects that come, go and come back; samples have them in some order, now and then twice, or too many."""

    def __init__(self, random: Random, item: Input) -> None:
        self._random = random
        self._fields = [field for field in item.fields if field.type != "id"]
        self._most = item.max_objects
        self._pool = [*range(1, 2 * item.max_objects + 3), *random.sample(_ODD_KEYS, 3)]
        self._present: list[int] = random.sample(self._pool, random.randrange(0, item.max_objects + 1))
        self._births, self._deaths = random.choice(((0.0, 0.0), (0.02, 0.02), (0.1, 0.05), (0.1, 0.2), (0.6, 0.6)))
        self._shuffles, self._odd = random.choice((0.0, 0.0, 0.1, 0.9)), random.choice((0.0, 0.02, 0.2))
        self._keeps = random.choice((0.0, 0.7, 0.95))
        self._latest: dict[tuple[int, int], float] = {}

    def sample(self) -> ObjectSample:
        """The next sample."""
        random = self._random
        self._present = [key for key in self._present if random.random() >= self._deaths]
        while random.random() < self._births:
            key = random.choice(self._pool)
            if key not in self._present and (len(self._present) < self._most or random.random() < 0.3):
                self._present.insert(random.randrange(len(self._present) + 1), key)
        if random.random() < self._shuffles:
            random.shuffle(self._present)
        keys = list(self._present)
        if random.random() < 0.3 * self._odd:
            keys = []
        elif keys and random.random() < self._odd:
            keys.insert(random.randrange(len(keys) + 1), random.choice(keys))
        return ObjectSample(
            tuple(keys), tuple(tuple(self._value(key, place) for place in self._places) for key in keys)
        )

    @property
    def _places(self) -> range:
        return range(len(self._fields))

    def _value(self, key: int, place: int) -> float:
        """A field's number, which may stay what it was."""
        if (key, place) not in self._latest or self._random.random() >= self._keeps:
            self._latest[key, place] = self._drawn(self._fields[place])
        return self._latest[key, place]

    def _drawn(self, field: InputField) -> float:
        if self._random.random() < self._odd:
            return self._random.choice(_ODD_NUMBERS)
        if field.type == "bool":
            return float(self._random.random() < 0.5)
        if field.type == "text":
            return float(self._random.randrange(len(field.values)))
        return self._random.choice(_NUMBERS) if self._random.random() < 0.7 else self._random.uniform(-3, 3)
