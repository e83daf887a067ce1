"""The inputs of a demonstration: drives, generated or recorded, their signal catalog and a campaign file."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from fleet_api.demo.drives import generate_drives, package_file
from triggers.drives.drive import Drive
from triggers.drives.find import find_drives
from triggers.errors import InvalidInput
from triggers.language.compile import Compilation, compile_file
from triggers.signals.catalog import SignalCatalog


@dataclass(frozen=True)
class DemoInputs:
    """Everything that a run needs. `generated` says whether the drives were generated for it."""

    drives: list[Drive]
    catalog: SignalCatalog
    compilation: Compilation
    signals_path: Path
    campaign_path: Path
    generated: bool


def prepare_inputs(
    folder: Path,
    *,
    drives: Sequence[Path] = (),
    signals: Path | None = None,
    campaign: Path | None = None,
    seed: int = 1,
) -> DemoInputs:
    """Find the drives, or generate them in `folder`, and compile the campaigns.

    Raises InvalidInput for recorded drives without their catalog or without a campaign, and DiagnosticsError with the
    mistakes of the campaign file.
    """
    if not drives:
        drives = generate_drives(folder / "drives", seed=seed)
        generated = True
        signals = signals or _written(folder, "signals.yaml")
        campaign = campaign or _written(folder, "demo.trigger")
    else:
        generated = False
    if signals is None:
        raise InvalidInput(
            "recorded drives need their signal catalog", remedy="name it with --signals (make demo SIGNALS=FILE)"
        )
    if campaign is None:
        raise InvalidInput(
            "recorded drives need a campaign", remedy="name a trigger file with --campaign (make demo CAMPAIGN=FILE)"
        )
    catalog = SignalCatalog.load(signals)
    compilation = compile_file(campaign, catalog)
    compilation.require_ok(str(campaign))
    if not compilation.campaigns:
        raise InvalidInput(f"{campaign} has triggers but no campaign", remedy="add a campaign that collects them")
    return DemoInputs(find_drives(drives), catalog, compilation, signals, campaign, generated)


def offer_drives(drives: Sequence[Drive], folder: Path) -> None:
    """Copy drives to where a deployment offers them for backtests, readable for the user that its API becomes."""
    for drive in drives:
        shutil.copytree(drive.path.parent, folder / drive.name, dirs_exist_ok=True)
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)


def _written(folder: Path, name: str) -> Path:
    """Write a file of this package into `folder`; returns its path."""
    path = folder / name
    path.write_text(package_file(name), "utf-8")
    return path
