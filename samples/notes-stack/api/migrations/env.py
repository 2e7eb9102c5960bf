import os

from alembic import context
from sqlalchemy import create_engine, make_url

URL = make_url(os.environ["DATABASE_URL"]).set(drivername="postgresql+pg8000")

with create_engine(URL).connect() as connection:
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()
