"""Files are found by their SOP Instance UID."""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the index if it is not there."""
    op.create_index("files_by_instance", "files", ["sop_instance"], if_not_exists=True)
