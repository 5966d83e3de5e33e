"""An id of the history, by which a server notices that its database was replaced."""

import secrets

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the table and draw the id."""
    place = op.create_table("place", sa.Column("id", sa.String(), primary_key=True))
    op.bulk_insert(place, [{"id": secrets.token_hex(16)}])
