"""DANDI's own client over a `PoliteSession`, without telemetry.

Importing this module imports dandi, which takes a second: import it inside functions.
"""

import logging
import os

os.environ["DANDI_NO_ET"] = "1"

from dandi.consts import DandiInstance
from dandi.dandiapi import DandiAPIClient

from neuroclass.io.polite import PoliteSession


def dandi_client(session: PoliteSession) -> DandiAPIClient:
    """Open DANDI's client on a session; asks the network for nothing."""
    logging.getLogger("dandi").setLevel(logging.CRITICAL)  # what it would log, errors say
    client = DandiAPIClient(dandi_instance=DandiInstance("archive", None, session.base))
    session.headers["User-Agent"] = f"NeuroClass {client.session.headers['User-Agent']!s}"
    client.session.close()
    client.session = session
    client.page_workers = 2
    return client
