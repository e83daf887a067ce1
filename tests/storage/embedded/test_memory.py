"""The cache of the embedded PostgreSQL is a share of the memory of the machine, or of what its container may have."""

from __future__ import annotations

from pathlib import Path

import pytest

from storage.embedded.memory import available_bytes, shared_buffers

GB = 1024**3


@pytest.mark.parametrize(
    ("available", "given"),
    [(GB // 2, "192MB"), (2 * GB, "256MB"), (4 * GB, "512MB"), (8 * GB, "1024MB"), (64 * GB, "1024MB")],
)
def test_the_cache_is_an_eighth_of_the_memory_within_bounds(available: int, given: str) -> None:
    assert shared_buffers(available) == given


def limited(root: Path, own: str, limits: dict[str, str]) -> Path:
    """A system whose process is in the group `own`, with the limits of groups."""
    (root / "proc/self").mkdir(parents=True)
    (root / "proc/self/cgroup").write_text(f"1:name=systemd:/elsewhere\n0::/{own}\n")
    (root / "sys/fs/cgroup" / own).mkdir(parents=True, exist_ok=True)
    for group, limit in limits.items():
        (root / "sys/fs/cgroup" / group / "memory.max").write_text(f"{limit}\n")
    return root


@pytest.mark.parametrize(
    ("own", "limits", "expected"),
    [
        pytest.param("", {"": "268435456"}, 268435456, id="container"),
        pytest.param("system/longtail", {"system/longtail": "max", "system": "134217728"}, 134217728, id="group above"),
        pytest.param("system/longtail", {"system/longtail": "4096", "system": "8192"}, 4096, id="the least"),
    ],
)
def test_a_group_that_may_have_less_than_the_machine_counts(
    tmp_path: Path, own: str, limits: dict[str, str], expected: int
) -> None:
    assert available_bytes(limited(tmp_path, own, limits)) == expected


def test_without_a_limit_it_is_the_memory_of_the_machine(tmp_path: Path) -> None:
    unlimited = available_bytes(tmp_path / "without groups")
    assert unlimited > 0
    assert available_bytes(limited(tmp_path, "own", {"own": "max"})) == unlimited
    assert available_bytes(limited(tmp_path / "huge", "own", {"own": str(unlimited + 1)})) == unlimited


@pytest.mark.parametrize(
    ("where", "limit", "expected"),
    [("docker/1f", "67108864", 67108864), ("", "134217728", 134217728), ("docker/1f", str(2**63 - 4096), None)],
    ids=["of the group", "of the container", "without a limit"],
)
def test_a_group_of_the_first_version_counts_too(tmp_path: Path, where: str, limit: str, expected: int | None) -> None:
    """In a container its group is at the top, and the path is the one outside."""
    (tmp_path / "proc/self").mkdir(parents=True)
    (tmp_path / "proc/self/cgroup").write_text("9:cpu,cpuacct:/docker/1f\n4:memory:/docker/1f\n0::/\n")
    group = tmp_path / "sys/fs/cgroup/memory" / where
    group.mkdir(parents=True)
    (group / "memory.limit_in_bytes").write_text(f"{limit}\n")
    assert available_bytes(tmp_path) == (expected or available_bytes(tmp_path / "nowhere"))
