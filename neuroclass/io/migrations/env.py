"""What Alembic runs for every command: the connection is given, and so is its transaction."""

from alembic import context

from neuroclass.io.history_tables import Base
from neuroclass.io.migrations import REVISIONS

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    version_table=REVISIONS,
    transactional_ddl=True,
)
context.run_migrations()
