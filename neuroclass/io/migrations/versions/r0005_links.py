"""Read-only links to verdicts."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "links",
        sa.Column("entry", sa.String(), sa.ForeignKey("entries.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("token", sa.String(), nullable=False),
        sa.Column("made", sa.Float(), nullable=False),
        sa.Column("judged", sa.Float(), nullable=False),
        sa.Column("context", sa.Text(), nullable=False),
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("software", sa.String(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
    )
    op.create_index("ix_links_token", "links", ["token"], unique=True)
