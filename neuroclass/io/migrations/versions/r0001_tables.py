"""The tables as they were before there were revisions; a database that has them keeps all its rows."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_INDICES = {"entries": ("owner", "key", "opened"), "files": ("digest",)}


def upgrade() -> None:
    """Make those that are not there."""
    op.create_table(
        "entries",
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("cell", sa.Text(), nullable=False),
        sa.Column("context", sa.Text(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("written", sa.Float(), nullable=False),
        sa.Column("opened", sa.Float(), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        if_not_exists=True,
    )
    op.create_table(
        "files",
        sa.Column("entry", sa.String(), sa.ForeignKey("entries.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("position", sa.Integer(), primary_key=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        if_not_exists=True,
    )
    op.create_table(
        "answers",
        sa.Column("entry", sa.String(), sa.ForeignKey("entries.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("model", sa.String(), primary_key=True),
        sa.Column("written", sa.Float(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        if_not_exists=True,
    )
    for table, columns in _INDICES.items():
        for column in columns:
            op.create_index(f"ix_{table}_{column}", table, [column], if_not_exists=True)
