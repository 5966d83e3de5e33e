"""A loopback server that answers as the DANDI archive's API and its object store do, and can misbehave as they do.

Shapes are those of dandi-archive's serializers: DandisetDetail, VersionDetail, Asset with ``?metadata=true``, pages
with ``count``, ``next``, ``previous``, ``results``; a download answers 302 with a signed address of the store.
"""

import hashlib
import json
import re
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

NUMBER, VERSION = "000020", "0.210913.1639"
CITATION = (
    "Gouwens, N. (2021) Patch-seq recordings from mouse visual cortex (Version 0.210913.1639) [Data set]. DANDI "
    "archive. https://doi.org/10.48324/dandi.000020/0.210913.1639"
)
_WHEN = "2021-09-13T16:39:00Z"
_RANGE = re.compile(r"bytes=(\d+)-(\d*)")


@dataclass
class Stored:
    """A file of the archive."""

    path: str
    content: bytes
    species: str = "Mus musculus - House mouse"
    subject: str = "1"
    zarr: bool = False
    sha256: str | None = None
    size: int | None = None
    id: str = ""

    def __post_init__(self) -> None:
        self.id = self.id or str(uuid.uuid5(uuid.NAMESPACE_URL, self.path))

    def to_json(self, metadata: bool) -> dict[str, Any]:
        """As AssetSerializer gives it."""
        size = len(self.content) if self.size is None else self.size
        kind = {"blob": None if self.zarr else self.id, "zarr": self.id if self.zarr else None}
        plain = {"asset_id": self.id, **kind, "path": self.path, "size": size, "created": _WHEN, "modified": _WHEN}
        if not metadata:
            return plain
        digest = hashlib.sha256(self.content).hexdigest() if self.sha256 is None else self.sha256
        about = {
            "schemaKey": "Asset",
            "path": self.path,
            "contentSize": size,
            "encodingFormat": "application/x-nwb",
            "digest": {"dandi:sha2-256": digest} if digest else {},
            "wasAttributedTo": [
                {
                    "schemaKey": "Participant",
                    "identifier": self.subject,
                    "species": {"schemaKey": "SpeciesType", "name": self.species},
                    "age": {"schemaKey": "PropertyValue", "value": "P60D", "unitText": "ISO-8601 duration"},
                }
            ],
        }
        return {**plain, "metadata": about}


@dataclass
class Archive:
    """What the server holds and does; a test changes it."""

    files: list[Stored] = field(default_factory=list)
    published: bool = True
    embargoed: bool = False
    busy: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    """Answers (status, headers) that come first, one a request, in place of the right one."""
    busy_store: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    ranges: bool = True
    break_after: int | None = None
    """Bytes of the store's body after which the connection is closed."""
    breaks: int = 0
    """How many of the store's answers break off; less than 0 all of them."""
    redirect: str = ""
    """Where downloads lead instead of to the store."""
    page_size: int = 100
    content_range: str = ""
    body: bytes | None = None
    """The API's answer in place of the right one."""
    hold: threading.Event | None = None
    """Waited for before the store answers."""
    signature: str = "1"
    requests: list[tuple[str, str | None]] = field(default_factory=list)
    served: int = 0
    """Bytes of files that were sent."""

    @property
    def asked_of_store(self) -> list[str]:
        """Ranges that the store was asked for."""
        return [wanted or "" for path, wanted in self.requests if path.startswith("/store/")]

    def version(self, name: str) -> dict[str, Any]:
        """As VersionSerializer gives it."""
        status = "Valid" if name == "draft" else "Published"
        size = sum(len(one.content) for one in self.files)
        common = {"name": "Patch-seq", "asset_count": len(self.files), "size": size, "status": status}
        return {"version": name, **common, "created": _WHEN, "modified": _WHEN}

    def about(self) -> dict[str, Any]:
        """As DandisetDetailSerializer gives it."""
        published = self.version(VERSION) if self.published else None
        return {
            "identifier": NUMBER,
            "created": _WHEN,
            "modified": _WHEN,
            "contact_person": "Gouwens, Nathan",
            "embargo_status": "EMBARGOED" if self.embargoed else "OPEN",
            "most_recent_published_version": published,
            "draft_version": self.version("draft"),
        }

    def metadata(self, name: str) -> dict[str, Any]:
        """A version's metadata."""
        cited = (
            CITATION if name == VERSION else "Gouwens, N. (2021) Patch-seq (Version draft) [Data set]. DANDI archive."
        )
        doi = {"doi": f"10.48324/dandi.{NUMBER}/{VERSION}"} if name == VERSION else {}
        return {"name": "Patch-seq", "citation": cited, "license": ["spdx:CC-BY-4.0"], "version": name, **doi}

    def api(self, path: str, query: dict[str, list[str]], base: str) -> tuple[int, Any]:
        """Status and JSON of an API path."""
        match = re.fullmatch(r"/api/dandisets/(\d{6})/(?:versions/([^/]+)/)?(info/|assets/)?", path)
        if match is None or match[1] != NUMBER:
            return 404, {"detail": "Not found."}
        if self.embargoed:
            return 401, {"detail": "Authentication credentials were not provided."}
        _, version, part = match.groups()
        if version is None:
            return 200, self.about()
        if version not in ("draft", *([VERSION] if self.published else [])):
            return 404, {"detail": "Not found."}
        if part == "info/":
            errors = {"asset_validation_errors": [], "version_validation_errors": []}
            return 200, {**self.version(version), **errors, "metadata": self.metadata(version), "contact_person": ""}
        return 200, self._page(path, query, base) if part else self.metadata(version)

    def _page(self, path: str, query: dict[str, list[str]], base: str) -> dict[str, Any]:
        plain = {key: values[0] for key, values in query.items()}
        found = [one for one in self.files if one.path.startswith(plain.get("path", ""))]
        found = sorted(
            (one for one in found if fnmatchcase(one.path, plain.get("glob", "*"))), key=lambda one: one.path
        )
        size = min(int(plain.get("page_size", self.page_size)), self.page_size)
        number = int(plain.get("page", 1))

        def link(page: int) -> str:
            rest = "&".join(f"{key}={quote(value)}" for key, value in {**plain, "page": str(page)}.items())
            return f"{base}{path}?{rest}"

        shown = found[(number - 1) * size : number * size]
        return {
            "count": len(found) if number == 1 else None,
            "next": link(number + 1) if number * size < len(found) else None,
            "previous": link(number - 1) if number > 1 else None,
            "results": [one.to_json(plain.get("metadata") == "true") for one in shown],
        }


def _handler(archive: Archive) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            archive.requests.append((self.path, self.headers.get("Range")))
            base = f"http://{self.headers['Host']}"
            if parts.path.startswith("/store/"):
                return self._store(parts.path.removeprefix("/store/"), parts.query)
            if archive.busy:
                status, headers = archive.busy.pop(0)
                return self._send(status, b"busy", headers)
            download = re.fullmatch(r"/api/assets/([0-9a-f-]+)/download/", parts.path)
            if download:
                return self._redirect(download[1], base)
            if archive.body is not None:
                return self._send(200, archive.body, {"Content-Type": "application/json"})
            status, answer = archive.api(parts.path, parse_qs(parts.query), base)
            return self._send(status, json.dumps(answer).encode(), {"Content-Type": "application/json"})

        def _redirect(self, asset: str, base: str) -> None:
            found = next((one for one in archive.files if one.id == asset), None)
            if found is None:
                return self._send(404, b'{"detail": "Not found."}', {})
            if found.zarr:
                return self._send(400, b'"Unable to provide download link for zarr assets."', {})
            to = archive.redirect or f"{base}/store/{asset}?X-Amz-Signature={archive.signature}"
            return self._send(302, b"", {"Location": to})

        def _store(self, asset: str, query: str) -> None:
            if archive.hold is not None:
                archive.hold.wait(60)
            if archive.busy_store:
                status, headers = archive.busy_store.pop(0)
                return self._send(status, b"<Error><Code>SlowDown</Code></Error>", headers)
            if query != f"X-Amz-Signature={archive.signature}":
                return self._send(403, b"<Error><Code>AccessDenied</Code></Error>", {})
            content = next(one.content for one in archive.files if one.id == asset)
            match = _RANGE.fullmatch(self.headers.get("Range", "")) if archive.ranges else None
            if match is None:
                return self._body(200, content, {})
            start, stop = int(match[1]), min(len(content), int(match[2] or len(content)) + 1)
            if start >= len(content):
                return self._send(416, b"", {"Content-Range": f"bytes */{len(content)}"})
            told = archive.content_range or f"bytes {start}-{stop - 1}/{len(content)}"
            return self._body(206, content[start:stop], {"Content-Range": told})

        def _body(self, status: int, body: bytes, headers: dict[str, str]) -> None:
            if archive.breaks and archive.break_after is not None and len(body) > archive.break_after:
                archive.breaks -= 1
                archive.served += archive.break_after
                self._send(status, body, headers, archive.break_after)
                self.close_connection = True
                return
            archive.served += len(body)
            self._send(status, body, headers)

        def _send(self, status: int, body: bytes, headers: dict[str, str], only: int | None = None) -> None:
            try:
                self.send_response(status)
                for name, value in {"Content-Length": str(len(body)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body[:only])
            except ConnectionError:
                self.close_connection = True

        def log_message(self, *_: object) -> None:
            pass

    return Handler


@contextmanager
def dandi_server(*files: Stored) -> Iterator[tuple[str, Archive]]:
    """A running archive: its API's address and its behaviour."""
    archive = Archive(list(files))
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(archive))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/api", archive
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def stored(path: Path, place: str, **more: Any) -> Stored:
    """A file on disk, as the archive holds it."""
    return Stored(place, path.read_bytes(), **more)
