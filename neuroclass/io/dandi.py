"""Dandisets of the DANDI archive: which version, how it is cited, which files it holds.

References
----------
.. [1] DANDI Archive, dandiarchive.org, RRID SCR_017571.
"""

import fnmatch
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import requests

from neuroclass.config import DandiSettings, dandi_settings
from neuroclass.errors import FetchError, NotInArchiveError, SettingsError
from neuroclass.io.polite import PoliteSession, check_access

if TYPE_CHECKING:
    from dandi.dandiapi import RemoteDandiset

DRAFT = "draft"
_MOST_ASSETS = 200_000
_DIGESTS = ("dandi:sha2-256", "dandi:dandi-etag")


@dataclass(frozen=True)
class Asset:
    """A file of a dandiset.

    Attributes
    ----------
    id : str
        Its id in the archive.
    path : str
        Its path in the dandiset.
    size : int
        Bytes.
    kind : str
        ``blob`` for a file, ``zarr`` for a folder of chunks.
    url : str
        Where the API gives it out.
    sha256, etag : str
        Checksums that the archive lists; empty where it lists none.
    subject, species, age : str
        Of the animal or donor, as the archive lists them; empty where it does not.
    """

    id: str
    path: str
    size: int
    kind: str = "blob"
    url: str = ""
    sha256: str = ""
    etag: str = ""
    subject: str = ""
    species: str = ""
    age: str = ""

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return dict(vars(self))


@dataclass(frozen=True)
class Dandiset:
    """One version of a dandiset.

    Attributes
    ----------
    id, version : str
        Such as ``000020`` and ``0.210913.1639``; or ``draft``.
    name, citation, doi, license : str
        As the archive gives them.
    api_url : str
        The archive's API.
    """

    id: str
    version: str
    name: str = ""
    citation: str = ""
    doi: str = ""
    license: str = ""
    api_url: str = ""
    remote: "RemoteDandiset | None" = field(default=None, repr=False, compare=False)

    def to_json(self) -> dict[str, str]:
        """Plain values."""
        return {name: value for name, value in vars(self).items() if name != "remote"}


@dataclass(frozen=True)
class Choice:
    """Which files of a dandiset are meant; by default all.

    Attributes
    ----------
    subjects : tuple of str
        Subjects' ids, with or without ``sub-``; any of them.
    glob : str
        Pattern of the path, such as ``sub-*/*icephys.nwb``.
    paths : tuple of str
        Paths, or beginnings of them that end a folder's or file's name.
    largest : int or None
        Most bytes of a file.
    """

    subjects: tuple[str, ...] = ()
    glob: str = ""
    paths: tuple[str, ...] = ()
    largest: int | None = None

    def takes(self, asset: Asset) -> bool:
        """Whether a file is meant."""
        folder = asset.path.split("/", 1)[0].removeprefix("sub-")
        wanted = {subject.removeprefix("sub-") for subject in self.subjects}
        return (
            (not wanted or folder in wanted or asset.subject in wanted)
            and (not self.glob or fnmatch.fnmatchcase(asset.path, self.glob))
            and (not self.paths or any(_lies_in(asset.path, path) for path in self.paths))
            and (self.largest is None or asset.size <= self.largest)
        )


def _lies_in(path: str, start: str) -> bool:
    start = start.rstrip("/")
    return path == start or path.startswith(f"{start}/") or path == f"{start}.nwb"


def open_dandiset(number: str, version: str = "", settings: DandiSettings | None = None) -> Dandiset:
    """Look up a dandiset.

    Parameters
    ----------
    number : str
        Its six digits; zeros in front may be left out.
    version : str
        A published version, or ``draft``; by default the latest published.
    settings : DandiSettings, optional
        The archive's address; by default from the environment.

    Returns
    -------
    Dandiset

    Raises
    ------
    SettingsError
        The number is none.
    NotInArchiveError
        The archive has no such dandiset or version.
    EmbargoedError
        It is not given to everyone.
    FetchError
        The archive cannot be reached or answers with something else.
    """
    digits = number.strip().upper().removeprefix("DANDI:").strip()
    if not (digits.isascii() and digits.isdecimal() and len(digits) <= 6):
        raise SettingsError(f"{number!r} is no dandiset's number; expected six digits, such as 000020.")
    digits = digits.zfill(6)
    settings = settings or dandi_settings()
    try:
        from neuroclass.io.dandi_client import dandi_client
    except ModuleNotFoundError as error:
        raise FetchError("DANDI's client is not installed: pip install 'neuroclass[dandi]'.") from error
    client = dandi_client(PoliteSession(settings.api_url))
    with _told(f"dandiset {digits}"):
        remote = client.get_dandiset(digits, lazy=False)
        published = remote.most_recent_published_version
        if not version and published is None:
            raise NotInArchiveError(
                f"Dandiset {digits} has no published version, only a draft, which may change. Ask for it by name: "
                f"version {DRAFT}."
            )
        if version:
            remote = remote.for_version(version)
        about = remote.get_raw_metadata()
    return Dandiset(
        digits,
        remote.version_id,
        _text(about.get("name")),
        _text(about.get("citation")) or f"DANDI archive, dandiset {digits} (version {remote.version_id}).",
        _text(about.get("doi")),
        ", ".join(_text(one) for one in about.get("license") or () if one),
        settings.api_url,
        remote,
    )


def list_assets(dandiset: Dandiset, choice: Choice = Choice(), limit: int | None = None) -> list[Asset]:
    """List the files of a dandiset that are meant, in order of their paths.

    Parameters
    ----------
    dandiset : Dandiset
        From `open_dandiset`.
    choice : Choice
        Which are meant.
    limit : int, optional
        Most files; no more pages are asked for.

    Returns
    -------
    list of Asset

    Raises
    ------
    FetchError
        As `open_dandiset`.
    """
    found: list[Asset] = []
    for asset in _assets(dandiset, choice):
        if limit is not None and len(found) >= limit:
            break
        if choice.takes(asset):
            found.append(asset)
    return found


def _assets(dandiset: Dandiset, choice: Choice) -> Iterator[Asset]:
    assert dandiset.remote is not None
    remote = dandiset.remote
    asked = {"order": "path", "metadata": "true", **({"glob": choice.glob} if choice.glob else {})}
    if len(choice.subjects) == 1:
        asked["path"] = f"sub-{choice.subjects[0].removeprefix('sub-')}"
    elif len(choice.paths) == 1:
        asked["path"] = choice.paths[0].rstrip("/")
    with _told(f"dandiset {dandiset.id}, version {dandiset.version}"):
        for count, data in enumerate(remote.client.paginate(f"{remote.version_api_path}assets/", params=asked)):
            if count >= _MOST_ASSETS:
                raise FetchError(
                    f"Dandiset {dandiset.id} lists more than {_MOST_ASSETS:,} files. Choose some by subject or path."
                )
            yield _asset(data, remote.client.get_url(f"/assets/{data['asset_id']}/download/"))


def _asset(data: Mapping[str, Any], url: str) -> Asset:
    about = data.get("metadata") or {}
    digest = about.get("digest") or {}
    subject: Mapping[str, Any] = next(iter(about.get("wasAttributedTo") or ()), {})
    return Asset(
        id=str(data["asset_id"]),
        path=str(data["path"]),
        size=int(data["size"]),
        kind="zarr" if data.get("zarr") else "blob",
        url=url,
        sha256=_text(digest.get(_DIGESTS[0])),
        etag=_text(digest.get(_DIGESTS[1])),
        subject=_text(subject.get("identifier")),
        species=_text((subject.get("species") or {}).get("name")).split(" - ")[0],
        age=_text((subject.get("age") or {}).get("value")),
    )


def matching(dandiset: Dandiset, choice: Choice, limit: int | None = None) -> Sequence[Asset]:
    """As `list_assets`.

    Raises
    ------
    NotInArchiveError
        None is meant.
    """
    found = list_assets(dandiset, choice, limit)
    if not found:
        raise NotInArchiveError(
            f"Version {dandiset.version} of dandiset {dandiset.id} holds no file of that subject, path or size. List "
            "all its files without these conditions."
        )
    return found


def _text(value: object) -> str:
    return value.strip()[:2000] if isinstance(value, str) else ""


@contextmanager
def _told(what: str) -> Iterator[None]:
    """Say what the client's errors mean."""
    from dandi.exceptions import NotFoundError

    try:
        yield
    except NotFoundError as error:
        raise NotInArchiveError(f"The archive has no {what} ({error}). Check number and version.") from error
    except requests.HTTPError as error:
        if error.response is not None:
            if error.response.status_code == requests.codes.not_found:
                raise NotInArchiveError(f"The archive has no {what}. Check number and version.") from error
            check_access(error.response, what)
        raise FetchError(f"The archive refused to tell of {what} ({error!s:.200}). Try later.") from error
    except (requests.RequestException, ValueError, TypeError, KeyError, AttributeError, AssertionError) as error:
        raise FetchError(
            f"The archive's answer about {what} has another form than expected ({type(error).__name__}). Check the "
            "archive's address, or a proxy between; try later."
        ) from error
