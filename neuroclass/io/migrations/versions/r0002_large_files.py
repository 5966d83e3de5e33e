"""Sizes of files beyond 2 GB; SQLite's integers hold them as they are."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Widen the column."""
    if op.get_bind().dialect.name != "sqlite":
        op.alter_column("files", "size", existing_type=sa.Integer(), type_=sa.BigInteger(), existing_nullable=False)
