"""The table of notes, with the first one in it."""

from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.execute(
        "CREATE TABLE notes (id serial PRIMARY KEY, author text NOT NULL REFERENCES authors, text text NOT NULL)"
    )
    op.execute("INSERT INTO notes (author, text) VALUES ('ada', 'the first note')")


def downgrade() -> None:
    op.execute("DROP TABLE notes")
