"""A notebook: notes in PostgreSQL where DATABASE_URL is set, else one file per note in NOTES_FOLDER."""

import os
import re
import time
import uuid
from pathlib import Path

import psycopg2
import psycopg2.extensions
import psycopg2.extras
from flask import Flask, abort, jsonify, redirect, render_template, request, url_for

FOLDER = Path(os.environ.get("NOTES_FOLDER", "data"))
SCHEMA = Path(__file__).with_name("schema.sql")

app = Flask(__name__)
(FOLDER / "attachments").mkdir(parents=True, exist_ok=True)


def database():
    url = os.environ.get("DATABASE_URL")
    if not url:
        return None
    connection = psycopg2.connect(url, cursor_factory=psycopg2.extras.RealDictCursor)
    with connection, connection.cursor() as cursor:
        cursor.execute(SCHEMA.read_text())
    return connection


def all_notes():
    connection = database()
    if connection is None:
        return [{"id": path.stem, "text": path.read_text()} for path in sorted(FOLDER.glob("*.txt"))]
    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT id, text FROM notes ORDER BY written, id")
        return [dict(row) for row in cursor.fetchall()]


def keep(text):
    note = {"id": uuid.uuid4().hex, "text": text}
    connection = database()
    if connection is None:
        (FOLDER / f"{note['id']}.txt").write_text(text)
    else:
        with connection, connection.cursor() as cursor:
            cursor.execute("INSERT INTO notes (id, text) VALUES (%(id)s, %(text)s)", note)
    return note


def writable():
    """A disk that fills up or a volume with the wrong owner shows here, not at a user's first note."""
    probe = FOLDER / ".health"
    try:
        probe.write_text(str(time.time()))
    except OSError as error:
        return str(error)
    return "ok"


@app.get("/")
def index():
    return render_template("index.html", notes=all_notes())


@app.post("/")
def write():
    keep(request.form["text"])
    return redirect(url_for("index"))


@app.get("/notes")
def list_notes():
    return jsonify(notes=all_notes())


@app.post("/notes")
def add_note():
    return jsonify(keep(request.get_json()["text"])), 201


@app.put("/attachments/<name>")
def attach(name):
    if not re.fullmatch(r"[\w-]+\.\w+", name):
        abort(400)
    (FOLDER / "attachments" / name).write_bytes(request.get_data())
    return jsonify(name=name, bytes=request.content_length), 201


@app.get("/health")
def health():
    storage = writable()
    version = psycopg2.extensions.libpq_version()
    state = {"status": "ok" if storage == "ok" else "failing", "storage": storage, "libpq": version // 10000}
    return jsonify(state), 200 if storage == "ok" else 503
