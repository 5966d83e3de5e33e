"""Named selections of cells, encoded compactly enough for a URL.

A selection is a compressed bit mask over the cells in order of their ids. Four digits of a digest of all ids
guard against decoding it against other cells.
"""

import base64
import binascii
import hashlib
import zlib
from collections.abc import Collection, Mapping, Sequence

import numpy as np

from neuroclass.errors import SettingsError

MOST_NAMED = 8
_DIGEST = 4
_SEPARATOR = "~"


def _mark(ordered: Sequence[str]) -> str:
    return hashlib.sha256("\n".join(ordered).encode()).hexdigest()[:_DIGEST]


def encode(chosen: Collection[str], all_ids: Sequence[str]) -> str:
    """Encode a selection.

    Parameters
    ----------
    chosen : collection of str
        Selected ids; any not in `all_ids` are dropped.
    all_ids : sequence of str
        All cells.

    Returns
    -------
    str
        Letters, digits, ``-`` and ``_``; empty for an empty selection.
    """
    ordered = sorted(all_ids)
    inside = set(chosen)
    bits = np.array([name in inside for name in ordered], dtype=bool)
    if not bits.any():
        return ""
    packed = zlib.compress(np.packbits(bits).tobytes(), 9)
    return _mark(ordered) + base64.urlsafe_b64encode(packed).decode().rstrip("=")


def decode(text: str, all_ids: Sequence[str]) -> list[str]:
    """Decode a selection.

    Parameters
    ----------
    text : str
        Output of `encode`.
    all_ids : sequence of str
        All cells.

    Returns
    -------
    list of str
        The selected ids, sorted.

    Raises
    ------
    SettingsError
        If it was made from other cells or is not a selection.
    """
    if not text:
        return []
    ordered = sorted(all_ids)
    if text[:_DIGEST] != _mark(ordered):
        raise SettingsError("The selection in the address was made from other cells than those loaded; load the same.")
    body = text[_DIGEST:]
    n_bytes = (len(ordered) + 7) // 8
    try:
        packed = base64.b64decode(body + "=" * (-len(body) % 4), altchars=b"-_", validate=True)
        raw = zlib.decompressobj().decompress(packed, n_bytes + 1)
    except (binascii.Error, ValueError, zlib.error) as error:
        raise SettingsError("The selection in the address is damaged; copy the whole address.") from error
    if len(raw) != n_bytes:
        raise SettingsError("The selection in the address is damaged; copy the whole address.")
    bits = np.unpackbits(np.frombuffer(raw, dtype=np.uint8), count=len(ordered)).astype(bool)
    return [name for name, inside in zip(ordered, bits, strict=True) if inside]


def encode_named(named: Mapping[str, Collection[str]], all_ids: Sequence[str]) -> str:
    """Encode several named selections."""
    return _SEPARATOR.join(
        part for name, ids in named.items() for part in (clean_name(name), encode(ids, all_ids)) if encode(ids, all_ids)
    )


def decode_named(text: str, all_ids: Sequence[str]) -> dict[str, list[str]]:
    """Decode several named selections; see `decode`."""
    parts = text.split(_SEPARATOR) if text else []
    if len(parts) % 2:
        raise SettingsError("The selections in the address are damaged; copy the whole address.")
    names, bodies = parts[0::2][:MOST_NAMED], parts[1::2][:MOST_NAMED]
    return {clean_name(name): decode(body, all_ids) for name, body in zip(names, bodies, strict=True)}


def clean_name(name: str) -> str:
    """A selection's name on one line, at most 40 characters, without the separator."""
    return " ".join(name.replace(_SEPARATOR, "-").split())[:40] or "unnamed"
