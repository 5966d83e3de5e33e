"""What watches the server: health with a reason, counters without a word of users."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.applications import Starlette

from neuroclass import __version__
from neuroclass.classification.inputs import CellInput
from neuroclass.errors import RecordingError, RejectedInput
from neuroclass.io import history_database
from neuroclass.io.history_place import HISTORY_VARIABLE
from neuroclass.io.migrations import HEAD
from neuroclass.ui import metrics, monitoring, warmup
from tests import loops

SECRET = "patient-4711"


@dataclass(frozen=True)
class Answer:
    status_code: int
    text: str

    def json(self) -> Any:
        return json.loads(self.text)


class Client:
    """Asks the routes as a web server does."""

    def get(self, path: str) -> Answer:
        sent: list[Any] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": b""}

        async def send(message: Any) -> None:
            sent.append(message)

        scope = {"type": "http", "method": "GET", "path": path, "headers": [], "query_string": b""}
        loops.run(Starlette(routes=list(monitoring.ROUTES))(scope, receive, send))
        return Answer(sent[0]["status"], b"".join(one.get("body", b"") for one in sent[1:]).decode())


@pytest.fixture
def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Client:
    monkeypatch.setattr(history_database, "PAUSE_S", 0.0)
    monkeypatch.setattr(warmup, "_state", warmup.State.READY)
    monkeypatch.setenv(HISTORY_VARIABLE, str(tmp_path / "history"))
    monkeypatch.setenv("NEUROCLASS_CACHE", str(tmp_path / "cache"))
    return Client()


def figures(client: Client) -> dict[tuple[str, str], float]:
    families = text_string_to_metric_families(client.get("/metrics").text)
    return {(one.name, " ".join(one.labels.values())): one.value for family in families for one in family.samples}


def test_a_healthy_server_says_what_it_has(client):
    answer = client.get("/healthz")
    assert answer.status_code == 200
    found = answer.json()
    assert (found["status"], found["version"]) == ("ok", __version__)
    assert found["database"] == {"ok": True, "kind": "sqlite", "revision": HEAD}
    assert found["disk"]["free_bytes"] > 0


def no_database(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(HISTORY_VARIABLE, "postgresql://nobody:hush@127.0.0.1:1/none")


def no_models(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(warmup, "_state", warmup.State.FAILED)


def still_loading(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(warmup, "_state", warmup.State.LOADING)


def no_room(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(monitoring, "LEAST_FREE_BYTES", 1 << 62)


def no_setting(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("NEUROCLASS_QUOTA_MB", "plenty")


@pytest.mark.parametrize(
    "lack, part",
    [(no_database, "database"), (no_models, "models"), (still_loading, "models"), (no_room, "disk"),
     (no_setting, "database")],
)  # fmt: skip
def test_a_part_that_is_down_is_503_and_named(client, monkeypatch, tmp_path, lack, part):
    lack(monkeypatch, tmp_path)
    answer = client.get("/healthz")
    assert answer.status_code == 503
    assert [name for name in ("database", "models", "disk") if not answer.json()[name]["ok"]] == [part]
    assert "hush" not in answer.text and "nobody" not in answer.text


def test_verdicts_and_refusals_are_counted(client):
    from neuroclass.classification.classify import classify_input
    from neuroclass.cohort.demo import load_demo
    from neuroclass.features import FEATURE_NAMES
    from neuroclass.io.export import to_csv

    before = figures(client)
    cells = load_demo().frame.head(3)[["species", *FEATURE_NAMES]]
    with metrics.timed():
        answers = classify_input(CellInput.single(f"{SECRET}.csv", to_csv(cells)))
    metrics.count([*answers, RejectedInput(f"{SECRET}.abf", RecordingError(f"{SECRET} is none"))])
    with pytest.raises(RecordingError), metrics.timed():
        raise RecordingError(SECRET)
    found = {key: value - before.get(key, 0) for key, value in figures(client).items()}
    for task in ("broad", "subclass"):
        assert (
            sum(v for (name, label), v in found.items() if name == "neuroclass_verdicts_total" and task in label) == 3
        )
    assert found["neuroclass_refusals_total", "RecordingError"] == 2
    assert found["neuroclass_input_seconds_count", ""] == 1
    assert figures(client)["process_resident_memory_bytes", ""] > 1e6


def test_jobs_under_way_are_counted(client, monkeypatch):
    from neuroclass.training.jobs import JobRegistry
    from neuroclass.training.runs import RunConfig

    monkeypatch.setattr(JobRegistry, "advance", lambda self: None)
    assert figures(client)["neuroclass_jobs", "training queued"] == 0
    JobRegistry().start(RunConfig("dann"), SECRET)
    assert figures(client)["neuroclass_jobs", "training queued"] == 1


def test_no_word_of_users_is_told(client):
    def fails(name: str) -> None:
        raise ValueError(f"{name} is wrong")

    try:
        fails(SECRET)
    except ValueError as error:
        monitoring.note_error(error)
    assert figures(client)["neuroclass_page_errors_total", "ValueError"] >= 1
    assert metrics.recent_errors()[0].place.endswith(str(fails.__code__.co_firstlineno + 1))
    assert SECRET not in client.get("/metrics").text
    assert SECRET not in json.dumps([str(one) for one in metrics.recent_errors()])
