"""Fixtures of the tests of uploads: vehicles that only queue and upload."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.triggers.vehicle.conftest import MakeConfig
from tests.triggers.vehicle.support import ManualClock
from tests.triggers.vehicle.uploads.car import Car


@pytest.fixture
def new_car(make_config: MakeConfig, clock: ManualClock) -> Iterator[Callable[..., Car]]:
    cars: list[Car] = []

    def make(**changes: Any) -> Car:
        cars.append(Car(make_config(**changes), clock))
        return cars[-1]

    yield make
    for car in cars:
        car.close()


@pytest.fixture
def car(new_car: Callable[..., Car]) -> Car:
    return new_car()
