#!/usr/bin/env python3
"""What the product is made of (`sbom`), and which of it has known vulnerabilities (`audit`), by uv from uv.lock.

`python tools/supply_chain.py sbom FILE` writes a CycloneDX document of what `longtail` runs with. `audit` asks the
advisory service (OSV) about everything that is locked, tools included: exit status 1 with the findings, 0 without any;
where the service cannot be reached it says that nothing was audited, and ends with 0.
"""

import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tools import setup_env

ADVISORIES = "https://api.osv.dev/v1/vulns/PYSEC-2014-1"
"""An advisory that will always be there."""
_PATIENCE_S = 15


def main(arguments: "list[str]") -> int:
    root = Path(__file__).resolve().parent.parent
    try:
        uv = setup_env.find_uv() or setup_env.install_uv(root)
        return audit(uv, root) if arguments == ["audit"] else sbom(uv, root, Path(*arguments[1:]))
    except setup_env.Missing as missing:
        sys.stderr.write(f"{missing}\n")
        return setup_env.EXIT_MISSING


def sbom(uv: str, root: Path, file: Path) -> int:
    """Write the document; returns the exit status."""
    file.parent.mkdir(parents=True, exist_ok=True)
    command = [uv, "export", "--quiet", "--frozen", "--no-default-groups", "--format", "cyclonedx1.5"]
    command += ["--preview-features", "sbom-export", "--output-file", str(file)]
    return subprocess.run(command, cwd=str(root), env=setup_env.environment(root), check=False).returncode


def audit(uv: str, root: Path, service: str = ADVISORIES) -> int:
    """Ask about every locked package; returns the exit status."""
    try:
        with urllib.request.urlopen(service, timeout=_PATIENCE_S):  # noqa: S310 - the address is our own
            pass
    except (OSError, urllib.error.URLError) as error:
        sys.stderr.write(f"nothing was audited: the advisory service cannot be reached ({error}); {service}\n")
        return 0
    command = [uv, "audit", "--frozen", "--preview-features", "audit"]
    return subprocess.run(command, cwd=str(root), env=setup_env.environment(root), check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
