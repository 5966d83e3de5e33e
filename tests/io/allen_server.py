"""A loopback server that answers as the Allen API does, and can misbehave as servers do."""

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

from neuroclass.io.allen import API_FEATURES
from neuroclass.io.download import HDF5_SIGNATURE

NWB = HDF5_SIGNATURE + bytes(range(256)) * 4000
SPECIMEN = 525011903


def cell(specimen: int, species: str, line: str, dendrite: str, donor: int) -> dict[str, Any]:
    """One row of ApiCellTypesSpecimenDetail."""
    return {
        "specimen__id": specimen,
        "specimen__name": f"cell {specimen}",
        "donor__species": species,
        "donor__id": donor,
        "line_name": line,
        "structure__layer": "2/3",
        "structure_parent__acronym": "VISp",
        "tag__dendrite_type": dendrite,
        "cell_reporter_status": "positive",
    }


CELLS = [
    cell(SPECIMEN, "Homo Sapiens", "", "spiny", 1),
    cell(2, "Mus musculus", "Pvalb-IRES-Cre", "aspiny", 2),
    cell(3, "Mus musculus", "Cux2-CreERT2", "spiny", 2),
    cell(4, "Mus musculus", "Sst-IRES-Cre", "spiny", 3),
    cell(5, "Mus musculus", "Vip-IRES-Cre", "aspiny", 4),
]
FEATURES = [
    {"id": 10 + n, "specimen_id": row["specimen__id"], **{name: n + k / 100 for k, name in enumerate(API_FEATURES)}}
    for n, row in enumerate(CELLS[:4])
]


@dataclass
class Behaviour:
    """What the server does; a test changes it."""

    cells: Any = field(default_factory=lambda: CELLS)
    features: Any = field(default_factory=lambda: FEATURES)
    nwb: bytes = NWB
    status: int = 200
    body: bytes | None = None
    success: bool = True
    total_rows: int | None = None
    break_after: int | None = None
    ranges: bool = False
    second_half: threading.Event | None = None
    requests: list[tuple[str, str | None]] = field(default_factory=list)

    def envelope(self, rows: Any) -> bytes:
        """Rows in the API's envelope."""
        n = len(rows)
        total = n if self.total_rows is None else self.total_rows
        envelope = {"success": self.success, "id": 0, "start_row": 0, "num_rows": n, "total_rows": total, "msg": rows}
        return json.dumps(envelope).encode()

    def answer(self, path: str) -> bytes:
        """Body for a path."""
        if path.startswith("/api/v2/well_known_file_download/"):
            return self.nwb
        if self.body is not None:
            return self.body
        if "ApiCellTypesSpecimenDetail" in path:
            return self.envelope(self.cells)
        if "EphysFeature" in path:
            return self.envelope(self.features)
        files = [{"download_link": f"/api/v2/well_known_file_download/{SPECIMEN}", "id": SPECIMEN}]
        known = f"[id$eq{SPECIMEN}]" in path
        return self.envelope([{"id": SPECIMEN, "ephys_result": {"well_known_files": files}}] if known else [])


def _handler(behaviour: Behaviour) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            path, wanted = unquote(self.path), self.headers.get("Range")
            behaviour.requests.append((path, wanted))
            body, status = behaviour.answer(path), behaviour.status
            if behaviour.ranges and wanted and status == 200:
                body, status = body[int(wanted.removeprefix("bytes=").removesuffix("-")) :], 206
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            if behaviour.ranges:
                self.send_header("Accept-Ranges", "bytes")
                self.send_header("ETag", '"v1"')
            self.end_headers()
            if behaviour.second_half is not None:
                self.wfile.write(body[: len(body) // 2])
                body = body[len(body) // 2 :]
                behaviour.second_half.wait(60)
            if behaviour.break_after is None:
                self.wfile.write(body)
                return
            self.wfile.write(body[: behaviour.break_after])
            self.close_connection = True

        def log_message(self, *_: object) -> None:
            pass

    return Handler


@contextmanager
def nobody() -> Iterator[str]:
    """An address that refuses connections; its port stays taken meanwhile."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{bound.getsockname()[1]}"


@contextmanager
def allen_server() -> Iterator[tuple[str, Behaviour]]:
    """A running server: its address and its behaviour."""
    behaviour = Behaviour()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(behaviour))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", behaviour
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


Answer = Callable[[Behaviour], None]
