"""The history's tables from one version of NeuroClass to the next, with Alembic.

A change of `neuroclass.io.history_tables` needs a module in ``versions/`` and `HEAD`; the tests compare both.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, text

from neuroclass.errors import HistoryError

if TYPE_CHECKING:
    from alembic.config import Config

HEAD = "0005"
"""The revision that this version of NeuroClass works with."""
REVISIONS = "neuroclass_revision"
"""The table that holds a database's revision."""


def revision_of(connection: Connection) -> str:
    """A database's revision; empty if it is new, or older than revisions are."""
    if not inspect(connection).has_table(REVISIONS):
        return ""
    return str(connection.execute(text(f"SELECT version_num FROM {REVISIONS}")).scalar() or "")


def upgrade(connection: Connection, to: str = HEAD) -> None:
    """Bring the tables to a revision within the connection's transaction: wholly, or not at all.

    Parameters
    ----------
    connection : Connection
        Holds the lock that keeps others from doing the same.
    to : str
        The revision.

    Raises
    ------
    HistoryError
        If the database was made by a later version of NeuroClass.
    """
    from alembic import command
    from alembic.script import ScriptDirectory

    config, found = _config(), revision_of(connection)
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if found and found not in known:
        raise HistoryError(
            f"The history's database is of a later version of NeuroClass (revision {found}; this one knows {HEAD}). "
            "Install that version here, or name another place in NEUROCLASS_HISTORY."
        )
    config.attributes["connection"] = connection
    command.upgrade(config, to)


def _config() -> "Config":
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config
