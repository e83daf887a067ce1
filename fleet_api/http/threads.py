"""Threads for the blocking part of requests: vehicles have their own, so that people cannot keep them waiting."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from fastapi import Request
from starlette.concurrency import run_in_threadpool

from ingest.http.bounds.workers import Workers

T = TypeVar("T")

VEHICLE_THREADS = 16
"""More than a vehicle route has connections to the database: part of each request is work without one."""
OF_ONE_VEHICLE = 1
"""A vehicle asks one thing at a time, and threads that compute share one processor: two would be two shares."""
WAITING_VEHICLES = 512
"""Requests of vehicles that may wait for a thread; further ones are told to come again."""


def new_vehicle_threads() -> Workers:
    """The threads of all vehicle routes of a process."""
    return Workers("vehicles", threads=VEHICLE_THREADS, waiting=WAITING_VEHICLES, of_one_caller=OF_ONE_VEHICLE)


async def in_vehicle_threads(request: Request, function: Callable[[], T]) -> T:
    """Run a function in a thread for vehicles; Overloaded when too many wait already."""
    workers: Workers = request.app.state.vehicle_threads
    return await workers.run(function)


async def in_threads_of_caller(request: Request, function: Callable[[], T]) -> T:
    """Run a function in a thread of whoever sends this request."""
    if getattr(request.state, "is_vehicle", False):
        return await in_vehicle_threads(request, function)
    return await run_in_threadpool(function)
