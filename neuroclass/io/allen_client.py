"""AllenSDK's client for the Cell Types Database, with downloads that report progress and can be cancelled.

Importing this module imports allensdk, which takes a second: import it inside functions.
"""

from pathlib import Path
from typing import Any

from allensdk.api.queries.cell_types_api import CellTypesApi
from allensdk.core.cell_types_cache import CellTypesCache
from requests.utils import quote

from neuroclass.errors import FetchError
from neuroclass.io.download import Transfer

URL_CHARACTERS = ";/?:@&=+$,"


class _Api(CellTypesApi):
    """allensdk's queries over a `Transfer`; its own transport has no timeout and does not check the body."""

    def __init__(self, base_url: str | None, transfer: Transfer) -> None:
        super().__init__(base_url)
        self.transfer = transfer

    def retrieve_parsed_json_over_http(self, url: str, post: bool = False) -> Any:  # noqa: ARG002 (allensdk's signature)
        """Send a query and parse the response."""
        return self.transfer.json(quote(url, URL_CHARACTERS), "cell tables")

    def retrieve_file_over_http(self, url: str, file_path: str, zipped: bool = False) -> None:  # noqa: ARG002
        """Download a file."""
        self.transfer.file(url, Path(file_path))

    def read_data(self, parsed_json: Any) -> list[dict[str, Any]]:
        """Rows of a response, whose envelope must report success and completeness."""
        envelope = parsed_json if isinstance(parsed_json, dict) else {}
        message = envelope.get("msg")
        if envelope.get("success") is not True or not isinstance(message, list):
            raise FetchError(
                f"{self.api_url} did not answer the query: {str(message or parsed_json)[:200]!r}; expected rows. "
                "Try again later."
            )
        n_rows, n_total = envelope.get("num_rows"), envelope.get("total_rows")
        if n_rows is not None and n_total is not None and n_rows < n_total:
            raise FetchError(f"{self.api_url} sent {n_rows} of {n_total} rows. Try again later.")
        return message


def cell_types_cache(folder: Path, base_url: str | None, transfer: Transfer) -> CellTypesCache:
    """Open allensdk's `CellTypesCache` on a folder.

    Parameters
    ----------
    folder : Path
        Folder of the manifest and files.
    base_url : str or None
        The API's address; None for the database's own.
    transfer : Transfer
        Transport that reports progress and can be cancelled.

    Returns
    -------
    CellTypesCache
    """
    cache = CellTypesCache(manifest_file=str(folder / "manifest.json"), base_uri=base_url)
    cache.api = _Api(base_url, transfer)
    return cache
