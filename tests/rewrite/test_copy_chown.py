"""copy-chown: every row of its table decides, and says why."""

from __future__ import annotations

from pathlib import Path

import pytest

from imgopt.strategies.copy_chown import KEEPS

from .lone import run

COPY = "COPY . /app"
ROWS = {
    "more": "COPY a /app/a\nRUN chown -R n:n /app",
    "workdir": "WORKDIR /app\nCOPY . .\nRUN chown -R n:n /app",
    "into": "COPY a b /app/\nRUN chown -R n:n /app",
    "unseen": "COPY . /srv/app\nRUN chown -R n:n /srv/app",
    "earlier": f"RUN mkdir -p /app/logs\n{COPY}\nRUN chown -R n:n /app",
    "own-group": f"{COPY}\nRUN chown -R n: /app",
    "link": "COPY --link . /app\nRUN chown -R n:n /app",
    "group": "COPY --from=b /app /app\nRUN chown -R n /app",
}


@pytest.mark.parametrize(
    "row", [key for key in KEEPS if key != "base"]
)  # that one needs the base itself
def test_every_row_of_the_table_decides(row: str, tmp_path: Path) -> None:
    text = f"FROM b\n{ROWS[row]}\n"
    draft = run("copy-chown", text, tmp_path, {"a": "x", "b": "x"})
    assert draft.text == text
    before, _, behind = KEEPS[row][1].replace("{folder}", "/app").partition("{what}")
    assert [before in skip.reason and behind in skip.reason for skip in draft.skips] == [True]


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param(f"{COPY}\nENV A=1\nRUN chown -R n:n /app", id="another instruction between"),
        pytest.param(f"{COPY}\nRUN chown -R n:n /app && ls", id="a step that does more"),
        pytest.param(f"{COPY}\nRUN chown n:n /app", id="not all that is below"),
        pytest.param(f"{COPY}\nRUN chown -R n:n /app /data", id="two folders"),
        pytest.param(f"{COPY}\nRUN --mount=type=cache,target=/c chown -R n:n /app", id="a mount"),
        pytest.param(f"{COPY}\nRUN chown -R $U /app", id="an owner that nothing says"),
        pytest.param(f"{COPY}\nRUN chown -R --from=root n /app", id="only of one owner"),
        pytest.param(
            "COPY --chown=m . /app\nRUN chown -R n:n /app", id="an owner of the copy's own"
        ),
        pytest.param("ADD a.tar /app\nRUN chown -R n:n /app", id="an archive"),
    ],
)
def test_what_stays_without_a_word(lines: str, tmp_path: Path) -> None:
    text = f"FROM b\n{lines}\n"
    assert run("copy-chown", text, tmp_path, {"a": "x"}).text == text
