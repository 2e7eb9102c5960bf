"""Notes in a database, their list in a cache."""

import json
import os
from contextlib import contextmanager

import redis
from fastapi import FastAPI, HTTPException
from pydantic import BaseModel

app = FastAPI(title="notes")
cache = redis.Redis.from_url(os.environ["CACHE_URL"])
PER_PAGE = int(os.environ.get("NOTES_PER_PAGE", "10"))
LIST = "notes:list"


class Note(BaseModel):
    author: str
    text: str


@contextmanager
def rows(statement: str, *values: object):
    import psycopg2

    connection = psycopg2.connect(os.environ["DATABASE_URL"])
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(statement, values)
            yield cursor.fetchall() if cursor.description else []
    finally:
        connection.close()


@app.get("/health")
def health() -> dict[str, str]:
    with rows("SELECT count(*) FROM authors") as found:
        return {"database": "ok", "authors": str(found[0][0]), "cache": str(cache.ping())}


@app.get("/notes")
def list_notes() -> list[dict[str, object]]:
    kept = cache.get(LIST)
    if kept is not None:
        return json.loads(kept)
    with rows("SELECT id, author, text FROM notes ORDER BY id LIMIT %s", PER_PAGE) as found:
        notes = [{"id": number, "author": author, "text": text} for number, author, text in found]
    cache.set(LIST, json.dumps(notes), ex=60)
    return notes


@app.post("/notes", status_code=201)
def add_note(note: Note) -> dict[str, object]:
    with rows("SELECT name FROM authors WHERE name = %s", note.author) as known:
        if not known:
            raise HTTPException(422, f"nobody is called {note.author}")
    with rows("INSERT INTO notes (author, text) VALUES (%s, %s) RETURNING id", note.author, note.text) as made:
        number = made[0][0]
    cache.delete(LIST)
    return {"id": number, **note.model_dump()}
