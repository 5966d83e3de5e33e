"""axe-core, which finds what keeps people from reading or using a page."""

import shutil
import subprocess
import tarfile
from pathlib import Path
from typing import Any

VERSION = "4.10"


def fetched(folder: Path) -> tuple[str, str]:
    """The script of axe-core, fetched by npm into a folder, or the reason why it is not at hand."""
    npm = shutil.which("npm")
    if npm is None:
        return "", "npm, which fetches axe-core, is not installed"
    command = [npm, "pack", f"axe-core@{VERSION}", "--silent"]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, timeout=60, check=False)
    except subprocess.TimeoutExpired:
        return "", "npm does not answer, so axe-core is not at hand"
    archives = list(folder.glob("*.tgz"))
    if done.returncode or not archives:
        return "", "npm cannot fetch axe-core here"
    with tarfile.open(archives[0]) as archive:
        member = archive.extractfile("package/axe.min.js")
        assert member is not None
        return member.read().decode(), ""


def violations(tab: Any, script: str) -> list[str]:
    """Serious and critical violations of the page as it stands, in words."""
    if not tab.evaluate("'axe' in window"):
        tab.evaluate(script)
    found = tab.evaluate("axe.run('[data-testid=stMain]', {resultTypes: ['violations']}).then(done => done.violations)")
    return [
        f"{one['id']}: {one['nodes'][0]['html'][:120]}" for one in found if one["impact"] in ("serious", "critical")
    ]
