"""Work on models in separate processes: training any system, a model's report, the paper's reproduction."""

import secrets
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from neuroclass.config import cache_folder
from neuroclass.training.job import Job
from neuroclass.training.jobs import JobRegistry
from neuroclass.types.visitors import Owner

_WORD = "model"


@dataclass
class ModelJobs(JobRegistry):
    """A queue of ``models`` commands, beside that of training runs.

    Attributes
    ----------
    folder : Path
        Folder of all jobs.
    """

    folder: Path = field(default_factory=lambda: cache_folder() / "model-jobs")

    def queue(self, arguments: Sequence[str], about: str, owner: Owner = "", command: str = "models") -> str:
        """Queue a command; it starts at once where one more may run.

        Parameters
        ----------
        arguments : sequence of str
            Of the command; ``{status}`` stands for the file of its progress.
        about : str
            What it is about: a model's id, or another name.
        owner : str or Visitor
            Who starts it, and may cancel it.
        command : str
            Of ``python -m neuroclass``.

        Returns
        -------
        str
            The job's id.

        Raises
        ------
        SettingsError
            If too many jobs of the owner are waiting.
        AccessError
            If they may not train.
        """
        job_id = f"{time.strftime('%Y%m%d-%H%M%S')}-{_WORD}-{secrets.token_hex(3)}"
        folder = self.folder / job_id
        words = [one.replace("{status}", str(folder / "status.json")) for one in arguments]
        line = [sys.executable, "-m", "neuroclass", command, *words, "--json"]
        return self._enqueue(job_id, {"model": _WORD, "command": line, "about": about}, owner)

    def about(self, what: str) -> Job | None:
        """The latest job about something; None if there is none."""
        for job in self.recent(30):
            if self._record(job.id).get("about") == what:
                return job
        return None
