import pytest


@pytest.fixture
def client(tmp_path, monkeypatch):
    monkeypatch.setenv("NOTES_FOLDER", str(tmp_path))
    monkeypatch.delenv("DATABASE_URL", raising=False)
    import notes

    monkeypatch.setattr(notes, "FOLDER", tmp_path)
    return notes.app.test_client()


def test_a_note_is_kept_and_shown(client):
    assert client.post("/notes", json={"text": "buy milk"}).status_code == 201
    assert b"buy milk" in client.get("/").data


def test_health_names_the_client_library(client):
    assert client.get("/health").json["libpq"] >= 9
