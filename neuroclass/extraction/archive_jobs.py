"""Batches of a dandiset's recordings that are fetched and classified in processes of their own, from one queue."""

import json
import secrets
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from neuroclass.config import cache_folder
from neuroclass.io.dandi import Asset, Dandiset
from neuroclass.training.job import Job
from neuroclass.training.jobs import JobRegistry
from neuroclass.types.visitors import Owner

MOST_RECORDINGS = 2000
VERDICTS = "verdicts.jsonl"
_WORD, _PATHS = "archive", "paths.txt"


@dataclass
class ArchiveJobs(JobRegistry):
    """A queue of ``fetch --dandi … --classify`` commands.

    Attributes
    ----------
    folder : Path
        Folder of all jobs.
    """

    folder: Path = field(default_factory=lambda: cache_folder() / "archive-jobs")

    def queue(self, dandiset: Dandiset, assets: Sequence[Asset], owner: Owner = "") -> str:
        """Queue a batch; it starts at once where one more may run.

        Parameters
        ----------
        dandiset : Dandiset
            The recordings' dandiset.
        assets : sequence of Asset
            The recordings.
        owner : str or Visitor
            Who starts it, and may cancel and resume it.

        Returns
        -------
        str
            The job's id.

        Raises
        ------
        SettingsError
            If too many jobs of the owner are waiting.
        AccessError, QuotaError
            If they may not start one, or started as many within a day as the server allows.
        """
        job_id = f"{time.strftime('%Y%m%d-%H%M%S')}-{_WORD}-{secrets.token_hex(3)}"
        folder = self.folder / job_id
        places = {"--paths-from": _PATHS, "--classify": VERDICTS, "--status": "status.json"}
        words = [word for option, name in places.items() for word in (option, str(folder / name))]
        command = [sys.executable, "-m", "neuroclass", "fetch", "--dandi", dandiset.id, "--version", dandiset.version]
        paths = [asset.path for asset in assets]
        config = {**dandiset.to_json(), "paths": paths, "bytes": sum(asset.size for asset in assets)}
        files = {"config.json": json.dumps(config).encode(), _PATHS: "\n".join(paths).encode()}
        record = {"model": _WORD, "command": [*command, "--archive", dandiset.api_url, *words, "--json"]}
        return self._enqueue(job_id, record, owner, files)


def reports_of(job: Job) -> list[dict[str, Any]]:
    """Reports on a job's recordings so far, see `classify_assets`; a line that was cut short is left out.

    Returns
    -------
    list of dict
        In the order in which they were done.
    """
    path = job.folder / VERDICTS
    if not path.is_file():
        return []
    found: dict[str, dict[str, Any]] = {}
    for line in path.read_bytes().splitlines():
        try:
            entry = json.loads(line)
            found[entry["key"]] = dict(entry["reports"][0])
        except (ValueError, KeyError, TypeError, IndexError):
            continue
    return list(found.values())


def rows_of(reports: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """A row for each cell, or refused recording, of some reports."""
    return [_row(report, answer) for report in reports for answer in report["answers"]]


def _row(report: Mapping[str, Any], answer: Mapping[str, Any]) -> dict[str, Any]:
    row = {"recording": report["path"], "cell": answer.get("cell", "")}
    if "error" in answer:
        return {**row, "note": f"refused ({answer['error']['type']}): {answer['error']['message']}"}
    row["species"] = answer["species"]
    for task in ("broad", "subclass"):
        best = max(answer[task], key=lambda name: answer[task][name], default=None)
        row[task] = "cannot say" if answer["cannot_say"][task] else best
        row[f"{task} probability"] = None if best is None else round(answer[task][best], 3)
    likeness = (answer.get("like_database") or {}).get("probability")
    row["90% set"] = " or ".join(answer["set"]["subclass"])
    row["like the database"] = None if likeness is None else round(likeness, 3)
    row["note"] = "; ".join(answer["warnings"])
    return row
