"""``/healthz`` and ``/metrics``: for whoever watches the server, beside its pages."""

import shutil
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from neuroclass import __version__
from neuroclass.errors import NeuroClassError
from neuroclass.ui import warmup
from neuroclass.ui.history import store

LEAST_FREE_BYTES = 200_000_000
"""With less room on the disk, uploads are about to be refused."""


def health() -> tuple[bool, dict[str, Any]]:
    """Whether all that the server needs is there, and what of it.

    Returns
    -------
    healthy : bool
        Whether database, models and disk are all usable.
    state : dict
        ``version``, and of each of the three whether it is ``ok``, with what is wrong or how much there is.
    """
    parts = {"database": _database(), "models": _models(), "disk": _disk()}
    healthy = all(part["ok"] for part in parts.values())
    return healthy, {"status": "ok" if healthy else "down", "version": __version__, **parts}


def _database() -> dict[str, Any]:
    try:
        database = store.history().database
        return {"ok": True, "kind": database.kind, "revision": database.revision()}
    except NeuroClassError as error:
        return {"ok": False, "trouble": error.kind}


def _models() -> dict[str, Any]:
    state = warmup.state()
    return {"ok": state is warmup.State.READY, "state": state.value}


def _disk() -> dict[str, Any]:
    try:
        free = shutil.disk_usage(store.spool().folder).free
    except OSError as error:
        return {"ok": False, "trouble": type(error).__name__}
    return {"ok": free >= LEAST_FREE_BYTES, "free_bytes": free}


def healthz(_: Request) -> Response:
    """200 where everything that is needed is there, else 503; JSON says which part is not."""
    healthy, state = health()
    return JSONResponse(state, 200 if healthy else 503, headers={"cache-control": "no-store"})


def metrics(_: Request) -> Response:
    """Counters in Prometheus' text format."""
    from neuroclass.ui.metrics import text

    return Response(text(), media_type="text/plain; version=0.0.4", headers={"cache-control": "no-store"})


def note_error(error: Exception) -> None:
    """Count an error that a page did not foresee; Streamlit shows it as it always does."""
    from neuroclass.ui import metrics

    metrics.note_error(error)


ROUTES = (Route("/healthz", healthz), Route("/metrics", metrics))
