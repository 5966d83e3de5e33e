"""A model as one file, to download here and upload elsewhere: a zip of safetensors and JSON with checksums.

Whatever is in the file is data: names are of a closed list, sizes are limited and counted while unpacking, every file
has the SHA-256 that the manifest says, and nothing is executed. A report's tables travel as JSON.
"""

import hashlib
import io
import json
import shutil
import time
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from neuroclass.errors import LibraryError, ModelFileError, UnsafeFileError
from neuroclass.io.artifacts import CARD_FILE, DO_NOT_FIT, WEIGHTS_FILE, load_artifact, weights_of
from neuroclass.io.atomic import write_atomically
from neuroclass.io.estimators import FILES
from neuroclass.library.architecture import check_architecture
from neuroclass.library.entry import ModelEntry, trouble_of
from neuroclass.library.library import LONGEST_NOTE, ModelLibrary
from neuroclass.types.visitors import Owner, Right, visitor_of

SUFFIX = ".neuroclass.zip"
MANIFEST, FORMAT, KIND = "model.json", 1, "NeuroClass model"
MOST_UPLOADED, MOST_UNPACKED, MOST_CARD = 300_000_000, 600_000_000, 8_000_000
_REPORT = "evaluation"
_PARTS = (CARD_FILE, WEIGHTS_FILE, *FILES)
_TABLES, _DOCUMENTS = ".table.json", ".json"
_STEMS = frozenset("abcdefghijklmnopqrstuvwxyz-")
_DTYPES = ("object", "bool", "int8", "int32", "int64", "float32", "float64")
_STAMP = (1980, 1, 1, 0, 0, 0)


def export_model(entry: ModelEntry) -> bytes:
    """A model with its card, note and report as one file.

    Parameters
    ----------
    entry : ModelEntry
        Not the shipped models, which every installation has.

    Returns
    -------
    bytes
        A zip.

    Raises
    ------
    LibraryError
        If there is nothing to export.
    ModelFileError
        If the model's files are damaged.
    """
    if entry.shipped:
        raise LibraryError("The built-in models come with NeuroClass; export a model of your own.")
    load_artifact(entry.folder)
    files = {name: (entry.folder / name).read_bytes() for name in _PARTS if (entry.folder / name).is_file()}
    files |= _report_files(entry.folder / _REPORT)
    manifest = {
        "kind": KIND,
        "format": FORMAT,
        "name": entry.name,
        "note": entry.note,
        "exported": time.strftime("%Y-%m-%dT%H:%M:%S"),
        "files": {name: {"bytes": len(one), "sha256": _sha(one)} for name, one in files.items()},
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in {MANIFEST: json.dumps(manifest, indent=1).encode(), **files}.items():
            archive.writestr(zipfile.ZipInfo(name, _STAMP), content, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def import_model(library: ModelLibrary, content: bytes, name: str = "", owner: Owner = "") -> ModelEntry:
    """Take a file of `export_model` into the library.

    Parameters
    ----------
    library : ModelLibrary
        Where it goes.
    content : bytes
        The file.
    name : str
        What to call it; by default as in the file, with a number after it where that name is taken.
    owner : str or Visitor
        Whose browser it came from.

    Returns
    -------
    ModelEntry
        The same as before if the library has the model already.

    Raises
    ------
    UnsafeFileError
        If the file is not one, or holds what it should not.
    ModelFileError
        If its parts do not fit each other or this version.
    LibraryError
        If the name cannot be used.
    """
    visitor_of(owner).require(Right.ADD_MODELS)
    wanted = library.checked_name(name) if name else ""
    manifest, files = _unpacked(content)
    folder = library.draft()
    try:
        for path, blob in files.items():
            _write_part(folder, path, blob)
        card = json.loads(files[CARD_FILE])
        model_id = _checked(folder, card)
        title = str(manifest.get("name") or card.get("name") or model_id)
        title = wanted or library.free_name("".join(one for one in title if one.isprintable()))
        note = str(manifest.get("note") or "")[:LONGEST_NOTE]
        return library.adopt(folder, model_id, title, note, owner)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _checked(folder: Path, card: Mapping[str, Any]) -> str:
    """Id of the model in a folder, which must load and judge cells."""
    if trouble := trouble_of(card):
        raise ModelFileError(f"This model cannot be used: {trouble}. Train and export one with this version.")
    check_architecture(folder, card)
    model = load_artifact(folder)
    if model.task != card.get("task"):
        raise ModelFileError(f"The card says that the model tells {card.get('task')}; its files tell {model.task}.")
    try:
        judged = model.standardised_probabilities(model.background[:4])
        whole = np.isfinite(judged).all() and np.allclose(judged.sum(1), 1, atol=1e-6)
        whole &= np.isfinite(model.standardised_typicality(model.background[:4])).all()
    except DO_NOT_FIT as error:
        raise ModelFileError(
            f"The model cannot judge a cell ({error}). Export it again where it was trained."
        ) from error
    if not bool(whole) or len(judged) == 0:
        raise ModelFileError("The model's probabilities are not finite or do not sum to 1. Export it again.")
    return f"{card.get('system') or model.name}-{weights_of(model)[:12]}"


def _unpacked(content: bytes) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Manifest and files of a package, every one checked against the manifest."""
    if len(content) > MOST_UPLOADED:
        raise _unsafe(f"it has {len(content):,} bytes; at most {MOST_UPLOADED:,} are taken")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = archive.namelist()
            unknown = [name for name in names if name != MANIFEST and not _known(name)]
            if unknown or len(set(names)) < len(names):
                raise _unsafe(f"it holds {(unknown or ['a file twice'])[0][:80]!r}")
            manifest: Any = json.loads(_read(archive, MANIFEST, MOST_CARD))
            listed = _listed(manifest)
            if set(listed) != set(names) - {MANIFEST}:
                raise _unsafe("its files are not those that its manifest lists")
            if sum(size for size, _ in listed.values()) > MOST_UNPACKED:
                raise _unsafe(f"it unpacks to more than {MOST_UNPACKED:,} bytes")
            files = {name: _read(archive, name, size) for name, (size, _) in listed.items()}
    except (zipfile.BadZipFile, zlib.error, KeyError, NotImplementedError, RuntimeError, EOFError) as error:
        raise _unsafe(f"{type(error).__name__}: {error}") from error
    except (ValueError, RecursionError, OSError) as error:
        raise _unsafe(f"{type(error).__name__}: {error}") from error
    for name, (size, digest) in listed.items():
        if len(files[name]) != size or _sha(files[name]) != digest:
            raise ModelFileError(
                f"{name} is not the file that the manifest describes: it was changed or damaged on the way. Export "
                "the model again where it was trained."
            )
    if CARD_FILE not in files or WEIGHTS_FILE not in files:
        raise _unsafe(f"it lacks {CARD_FILE} or {WEIGHTS_FILE}")
    return manifest, files


def _listed(manifest: Any) -> dict[str, tuple[int, str]]:
    if not isinstance(manifest, dict) or manifest.get("kind") != KIND or manifest.get("format") != FORMAT:
        raise _unsafe(f"its {MANIFEST} is not that of a {KIND} of format {FORMAT}")
    files = manifest["files"]
    found = {str(name): (int(one["bytes"]), str(one["sha256"])) for name, one in files.items()}
    if any(size < 0 or (name == CARD_FILE and size > MOST_CARD) for name, (size, _) in found.items()):
        raise _unsafe("its manifest states impossible sizes")
    return found


def _known(name: str) -> bool:
    """Whether a model's file may have such a name, which is also its place below the model's folder."""
    if name in _PARTS:
        return True
    place, _, file = name.partition("/")
    stem = file.removesuffix(_TABLES) if file.endswith(_TABLES) else file.removesuffix(_DOCUMENTS)
    return place == _REPORT and stem != file and 0 < len(stem) <= 40 and set(stem) <= _STEMS


def _read(archive: zipfile.ZipFile, name: str, most: int) -> bytes:
    """A member's bytes, at most `most`, whatever the archive says of its size."""
    with archive.open(name) as member:
        found = member.read(most + 1)
    if len(found) > most:
        raise _unsafe(f"{name[:80]!r} is larger than its manifest says")
    return found


def _write_part(folder: Path, name: str, blob: bytes) -> None:
    if not name.startswith(f"{_REPORT}/"):
        write_atomically(folder / name, blob)
        return
    try:
        value = json.loads(blob)
        if name.endswith(_TABLES):
            stem = Path(name).name.removesuffix(_TABLES)
            out = io.BytesIO()
            _table(value).to_parquet(out, index=False)
            write_atomically(folder / _REPORT / f"{stem}.parquet", out.getvalue())
            return
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError, OverflowError) as error:
        raise ModelFileError(f"{name} is no part of a report ({str(error)[:200]}). Export the model again.") from error
    write_atomically(folder / name, blob)


def _report_files(folder: Path) -> dict[str, bytes]:
    files = {}
    for path in sorted(folder.glob("*")) if folder.is_dir() else ():
        if path.suffix == ".parquet":
            files[f"{_REPORT}/{path.stem}{_TABLES}"] = _table_json(pd.read_parquet(path))
        elif path.suffix == ".json":
            files[f"{_REPORT}/{path.name}"] = path.read_bytes()
    return {name: blob for name, blob in files.items() if _known(name)}


def _table_json(frame: pd.DataFrame) -> bytes:
    columns = []
    for name in frame.columns:
        values = frame[name]
        plain = values.astype(object).where(values.notna(), None).tolist()
        columns.append({"name": str(name), "dtype": str(values.dtype), "values": plain})
    return json.dumps({"rows": len(frame), "columns": columns}, allow_nan=False, default=_of_numpy).encode()


def _of_numpy(value: Any) -> Any:
    return value.tolist() if isinstance(value, np.ndarray | np.generic) else str(value)


def _table(value: Any) -> pd.DataFrame:
    columns = {}
    for one in value["columns"]:
        kind, values = str(one["dtype"]), list(one["values"])
        if len(values) != int(value["rows"]):
            raise ValueError(f"column {str(one['name'])[:40]} has {len(values)} values")
        kind = kind if kind in _DTYPES else "object"
        columns[str(one["name"])] = pd.Series(values, dtype="float64" if kind.startswith("float") else kind).astype(
            kind
        )
    return pd.DataFrame(columns)


def _unsafe(why: str) -> UnsafeFileError:
    return UnsafeFileError(
        f"This file is not a model that NeuroClass exported: {why[:300]}. Export one with python -m neuroclass models "
        "export, or with Download on the Models page."
    )


def _sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
