from pathlib import Path

from answers.prepare import passages


def test_headings_are_no_passages():
    assert all(not p["text"].startswith("#") for p in passages(Path("documents")))
