"""The exec form only for what a kernel starts by itself: every file that the word may name is looked at."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from imgopt.context.ecosystems import builtin_ecosystems
from imgopt.rewrite.draft import new_draft, run_strategy
from imgopt.rewrite.registry import find_strategy
from imgopt.rewrite.strategy import ContextFiles, Project

from .kit import project

BARE = "exec app\n"
GOOD = "#!/bin/sh\nexec app\n"


def rewritten(folder: Path, dockerfile: str, files: Mapping[str, str]) -> tuple[str, str]:
    """The last line, and what was refused."""
    project(folder, {"Dockerfile": dockerfile, **files})
    context = ContextFiles.read(folder, folder / "Dockerfile")
    draft = run_strategy(new_draft(dockerfile), find_strategy("exec-form"), Project(context, builtin_ecosystems()))
    return draft.text.splitlines()[-1], " ".join(skip.reason for skip in draft.skips)


NAMES_IT = [
    pytest.param("WORKDIR /app\nCOPY . .\nCMD ./start", {"start": BARE}, id="relative, in the copied folder"),
    pytest.param("WORKDIR /app\nCOPY bin bin\nCMD bin/start", {"bin/start": BARE}, id="relative, in a folder of it"),
    pytest.param("COPY ops/run /usr/local/bin/start\nCMD start", {"ops/run": BARE}, id="renamed into PATH"),
    pytest.param("COPY ops /usr/local/bin\nCMD start", {"ops/start": BARE}, id="a folder into PATH"),
    pytest.param("COPY ops/* /usr/local/bin/\nCMD exec start", {"ops/start": BARE}, id="by a pattern, behind exec"),
    pytest.param("ENTRYPOINT /opt/start", {"start": BARE}, id="an entry point"),
    pytest.param("WORKDIR /srv\nCOPY . .\nCMD start -p 80", {"tools/start": BARE}, id="somewhere below"),
    pytest.param("CMD /app/start", {"start": BARE}, id="from another stage"),
    pytest.param("COPY start /start\nCMD /start", {"start": "\ufeff#!/bin/sh\n"}, id="a byte order mark"),
    pytest.param("COPY start /start\nCMD /start", {"start": "\n#!/bin/sh\n"}, id="an empty line first"),
    pytest.param("COPY start /start\nCMD /start", {"start": ""}, id="an empty file"),
    pytest.param("COPY start /start\nCMD /start", {"start": "#!/bin/sh\r\nexec app\r\n"}, id="a carriage return"),
    pytest.param("COPY <<EOF /start\nexec app\nEOF\nCMD /start", {}, id="a here-document"),
    pytest.param("RUN printf 'exec app\\n' > /usr/bin/start\nCMD start", {}, id="written by a step"),
    pytest.param("RUN <<EOF\ncat > /start <<X\nexec app\nX\nEOF\nCMD /start", {}, id="written in a here-document"),
    pytest.param("ADD https://example.org/start /start\nCMD /start", {}, id="fetched"),
    pytest.param("COPY . /src\nRUN cp /src/ops/start /start\nCMD /start", {"ops/start": BARE}, id="copied by a step"),
]


@pytest.mark.parametrize(("lines", "files"), NAMES_IT)
def test_a_text_without_a_first_line_needs_the_shell(tmp_path: Path, lines: str, files: Mapping[str, str]) -> None:
    head = "FROM alpine AS b\nWORKDIR /b\nCOPY . .\nFROM alpine\nCOPY --from=b /b/start /app/start\n"
    head = head if "/app/start" in lines else "FROM alpine\n"
    text = head + ("COPY start /opt/\n" if "/opt/start" in lines else "") + lines + "\n"
    last, refused = rewritten(tmp_path, text, files)
    assert last == text.splitlines()[-1]
    assert (
        "first line" in refused
        or "begin with #!" in refused
        or "cannot be read" in refused
        or "is not known" in refused
    )


@pytest.mark.parametrize(
    ("lines", "files", "last"),
    [
        pytest.param("COPY start /start\nCMD /start", {"start": GOOD}, 'CMD ["/start"]', id="a first line"),
        pytest.param("COPY start /start\nCMD /start", {"start": "\x7fELF"}, 'CMD ["/start"]', id="a program"),
        pytest.param("COPY . /src\nRUN go build -o /bin/start ./src\nCMD start", {"src/start/a.go": ""},
                     'CMD ["start"]', id="a program that a step compiles"),
        pytest.param("WORKDIR /a\nCOPY . .\nCMD python start", {"start": BARE}, 'CMD ["python", "start"]',
                     id="the interpreter is named"),
        pytest.param("COPY docs /docs\nCMD /usr/bin/start", {"docs/start": BARE}, 'CMD ["/usr/bin/start"]',
                     id="a file of that name elsewhere"),
        pytest.param("RUN printf '#!/bin/sh\\nexec app' > /start\nCMD /start", {}, 'CMD ["/start"]',
                     id="a step writes the first line"),
        pytest.param("CMD env -S 'A=1 app'", {}, 'CMD ["env", "-S", "A=1 app"]', id="env is a program"),
    ],
)  # fmt: skip
def test_a_program_starts_by_itself(tmp_path: Path, lines: str, files: Mapping[str, str], last: str) -> None:
    assert rewritten(tmp_path, f"FROM alpine\n{lines}\n", files)[0] == last


@pytest.mark.parametrize(
    ("lines", "refused"),
    [
        pytest.param("CMD echo 'a\\tb'", "command of the shell", id="echo is the shell's own"),
        pytest.param("CMD test -f /x", "command of the shell", id="test is the shell's own"),
        pytest.param("CMD exec -a name app", "command of the shell", id="an option of exec"),
        pytest.param("CMD app ~/x", "expands a pattern", id="home"),
        pytest.param("CMD app {a,b}", "expands a pattern", id="braces, where sh is bash"),
        pytest.param("CMD app 'a\tb'", "control character", id="a tab is no JSON"),
        pytest.param("CMD A=1 app", "sets variables", id="a variable in front"),
        pytest.param("CMD app &", "more than one command", id="in the background"),
        pytest.param(
            "ENV PATH ./node_modules/.bin:$PATH\nCMD app", "PATH has a folder", id="a relative folder in PATH"
        ),
        pytest.param("ENV PATH=$PATH:\nCMD app", "PATH has a folder", id="an empty folder in PATH"),
    ],
)
def test_what_only_a_shell_does(tmp_path: Path, lines: str, refused: str) -> None:
    assert refused in rewritten(tmp_path, f"FROM alpine\n{lines}\n", {})[1]
