"""add table

Revision ID: 1
Revises: 0
"""
from alembic import op
import sqlalchemy as sa

revision = "1"
down_revision = "0"
branch_labels = None
depends_on = None


def upgrade():
    op.execute(f"update t set a = {x!r:>{n}}")
