"""A training run on an MLflow tracking server, where the user names one: nothing is sent otherwise.

The server gets what was asked (parameters), the quantities of each epoch, the results, and the files of the run's
folder that one needs to judge and use the model. A table of own cells stays here.
"""

import logging
import math
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from neuroclass.errors import SettingsError, TrackingError, TrainingPaused
from neuroclass.training import runs
from neuroclass.training.runs import RunConfig, read_config, read_json, write_json
from neuroclass.training.settings import all_values, with_values
from neuroclass.types.progress import EPOCH, Progress

FROM_ENVIRONMENT = "env"
"""In place of an address: that of the variable `VARIABLE`."""
VARIABLE = "MLFLOW_TRACKING_URI"
EXPERIMENT = "NeuroClass"
SENT = "mlflow.json"
"""File of a run's folder: where it was sent, under which id, and how many of its epochs."""
_QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",
}
_FILES = (runs.CONFIG, runs.ENVIRONMENT, runs.HISTORY, runs.METRICS, runs.RESULT)
_LOG = logging.getLogger(__name__)


def tracking_address(asked: str | None) -> str:
    """Address of the server that the user named; empty for none.

    Raises
    ------
    SettingsError
        If it is that of an unset variable, no address, or holds a password.
    """
    address = os.environ.get(VARIABLE, "") if asked == FROM_ENVIRONMENT else asked or ""
    if asked == FROM_ENVIRONMENT and not address:
        raise SettingsError(f"--mlflow {FROM_ENVIRONMENT} takes the address from {VARIABLE}, which is not set; set it.")
    parts = urlsplit(address)
    if address and (parts.scheme not in ("http", "https") or not parts.hostname):
        raise SettingsError(f"--mlflow {address}: expected the address of a tracking server, such as http://host:5000.")
    if parts.password or parts.username:
        raise SettingsError(
            "--mlflow: the address holds a name or password, which would be stored with the run. Leave them out, and "
            "set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD instead."
        )
    return address


class Tracker:
    """Sends nothing; what a run without a server has."""

    def begin(self, environment: Mapping[str, Any]) -> None:
        """Make the run on the server, or continue it."""

    def note(self, progress: Progress) -> None:
        """Send an epoch's quantities."""

    def finish(self, answer: Mapping[str, Any]) -> None:
        """Send results and files."""

    def end(self, status: str) -> None:
        """Say on the server what became of the run."""


class MlflowTracker(Tracker):
    """Sends a run to a server.

    Parameters
    ----------
    address : str
        Of the server.
    config : RunConfig
        What was asked.
    folder : Path
        The run's.
    """

    def __init__(self, address: str, config: RunConfig, folder: Path) -> None:
        self.address, self.config, self.folder = address, config, folder
        self._client = _client(address)
        sent = read_json(folder / SENT)
        known = sent.get("address") == address
        self._run: str = str(sent.get("run_id", "")) if known else ""
        self._epochs = int(sent.get("epochs", 0)) if known else 0
        self._silent = False

    def begin(self, environment: Mapping[str, Any]) -> None:
        """See `Tracker`.

        Raises
        ------
        TrackingError
            If the server cannot be used.
        """
        with _told(self.address, "Check that it runs and is reachable, or leave out --mlflow."):
            if self._run:
                self._client.update_run(self._run, status="RUNNING")
                return
            found = self._client.get_experiment_by_name(EXPERIMENT)
            experiment = found.experiment_id if found else self._client.create_experiment(EXPERIMENT)
            name = self.config.name or self.folder.name
            made = self._client.create_run(experiment, tags=self._tags(environment), run_name=name)
            self._run = made.info.run_id
            self._keep()
            self._client.log_batch(self._run, params=self._parameters())

    def _keep(self) -> None:
        write_json(self.folder / SENT, {"address": self.address, "run_id": self._run, "epochs": self._epochs})

    def _tags(self, environment: Mapping[str, Any]) -> dict[str, str]:
        cells = environment.get("cells", {})
        versions = {f"version.{name}": value for name, value in environment.get("versions", {}).items()}
        tags = {
            "neuroclass.run": self.folder.name,
            "system": self.config.system,
            "git_revision": environment.get("git_revision"),
            "protocol": self.config.protocol or ("donor-cv" if self.config.report else None),
            **{f"cells.{name}": value for name, value in cells.items()},
            **versions,
        }
        return {name: str(value) for name, value in tags.items() if value is not None}

    def _parameters(self) -> list[Any]:
        from mlflow.entities import Param

        config = self.config
        settings = all_values(config.system, with_values(config.system, config.settings))
        asked = {f"validation.{name}": value for name, value in asdict(config.validation).items()}
        asked |= {name: getattr(config, name) for name in ("cells", "align", "report", "baselines", "repeats")}
        return [Param(name, str(value)) for name, value in (settings | asked).items() if value is not None]

    def note(self, progress: Progress) -> None:
        """See `Tracker`; training goes on where the server does not answer, and `finish` sends what is missing."""
        if progress.stage != EPOCH or self._silent or progress.done <= self._epochs:
            return
        try:
            with _told(self.address, "Training goes on; what is missing is sent at its end."):
                self._send_epoch(progress.done, progress.values)
        except TrackingError as error:
            self._silent = True
            _LOG.warning("%s", error)

    def _send_epoch(self, number: int, values: Mapping[str, Any]) -> None:
        self._send(flat(values), number)
        self._epochs = number
        self._keep()

    def _send(self, values: Mapping[str, float], step: int) -> None:
        from mlflow.entities import Metric

        now = int(time.time() * 1000)
        self._client.log_batch(self._run, [Metric(name, value, now, step) for name, value in values.items()])

    def finish(self, answer: Mapping[str, Any]) -> None:
        """See `Tracker`.

        Raises
        ------
        TrackingError
            If the server cannot be used; the run is complete all the same, and can be sent later.
        """
        words = f"runs send {self.folder.name} --mlflow {self.address}"
        again = f"The run is complete here; send it with: python -m neuroclass {words}"
        with _told(self.address, again):
            history = read_json(self.folder / runs.HISTORY).get("epochs", [])
            for entry in history:
                if entry["epoch"] > self._epochs:
                    self._send_epoch(entry["epoch"], {k: v for k, v in entry.items() if k not in ("epoch", "of")})
            parts = ("metrics", "validation", "own", "protocol", "training_s")
            results = {f"result.{name}": value for name, value in flat({k: answer.get(k) for k in parts}).items()}
            self._send(results, self._epochs)
            for name in _FILES:
                if (self.folder / name).is_file():
                    self._client.log_artifact(self._run, str(self.folder / name))
            self._client.log_artifacts(self._run, str(self.folder / runs.MODEL), "model")

    def end(self, status: str) -> None:
        """See `Tracker`; a server that does not answer changes nothing here."""
        from mlflow.exceptions import MlflowException

        if self._run:
            with suppress(MlflowException):
                self._client.set_terminated(self._run, status)


def flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, float]:
    """Finite numbers of a nested mapping, by their path with points; names as MLflow allows them."""
    found: dict[str, float] = {}
    for name, value in values.items():
        key = "".join(c if c.isalnum() or c in "_-. /" else "-" for c in f"{prefix}{name}")
        if isinstance(value, Mapping):
            found |= flat(value, f"{key}.")
        elif isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
            found[key] = float(value)
    return found


def _client(address: str) -> Any:
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    try:
        from mlflow.tracking import MlflowClient
    except ImportError as error:
        raise TrackingError(
            "--mlflow needs MLflow's client, which is not installed here. Install it: pip install 'neuroclass[mlflow]'"
        ) from error
    return MlflowClient(tracking_uri=address)


@contextmanager
def _told(address: str, advice: str) -> Iterator[None]:
    """Turn what the client raises into one of our errors."""
    from mlflow.exceptions import MlflowException
    from requests.exceptions import RequestException

    try:
        yield
    except (MlflowException, RequestException, OSError) as error:
        found = " ".join(str(error).split())[:300]
        raise TrackingError(f"The MLflow server at {address} did not take the run ({found}). {advice}") from error


@contextmanager
def tracked(address: str, config: RunConfig, folder: Path) -> Iterator[Tracker]:
    """What follows a run: a server where one is named, which also learns how the run ended.

    Raises
    ------
    TrackingError
        If MLflow's client is not installed.
    """
    tracker = MlflowTracker(address, config, folder) if address else Tracker()
    try:
        yield tracker
    except TrainingPaused:
        tracker.end("SCHEDULED")
        raise
    except BaseException:
        tracker.end("FAILED")
        raise
    tracker.end("FINISHED")


def send_run(folder: Path, address: str) -> None:
    """Send a finished run, or what its server lacks of it.

    Raises
    ------
    SettingsError
        If it is not finished.
    TrackingError
        If the server cannot be used.
    """
    answer = read_json(folder / runs.RESULT)
    if not answer:
        raise SettingsError(f"{folder.name} is not finished; continue it with train --resume {folder.name} --mlflow.")
    with tracked(address, read_config(folder), folder) as tracker:
        tracker.begin(read_json(folder / runs.ENVIRONMENT))
        tracker.finish(answer)
