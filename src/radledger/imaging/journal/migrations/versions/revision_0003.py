"""Image sets are found by the UIDs of their study and series."""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the indexes if they are not there."""
    op.create_index("sets_by_study", "sets", ["study"], if_not_exists=True)
    op.create_index("sets_by_series", "sets", ["series"], if_not_exists=True)
