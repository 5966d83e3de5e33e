"""An extraction in which some files do what no reader should: they end the process that measures them."""

import os
import signal
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from neuroclass.extraction.items import ExtractionItem, ExtractionJob, feature_rows

POISON, ONCE = "poison", "once"


def rows_or_death(item: ExtractionItem, job: ExtractionJob, marks: Path) -> list[dict[str, Any]]:
    """Measure a file; one named poison kills its process, one named once does so the first time."""
    name = Path(item.paths[0]).stem
    if name == POISON:
        time.sleep(0.5)
        os.kill(os.getpid(), signal.SIGKILL)
    if name == ONCE:
        with suppress(FileExistsError):
            (marks / name).touch(exist_ok=False)
            time.sleep(0.5)
            os.kill(os.getpid(), signal.SIGKILL)
    return feature_rows(item, job)
