"""The exec form only for what a kernel starts by itself: every file that the word may name is
looked at."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from imgopt.context.ecosystems import builtin_ecosystems
from imgopt.rewrite.draft import new_draft, run_strategy
from imgopt.rewrite.strategy import ContextFiles, Project
from imgopt.strategies.exec_form import KEEPS
from imgopt.strategies.registry import find_strategy

from .kit import project

BARE = "exec app\n"
GOOD = "#!/bin/sh\nexec app\n"


def rewritten(folder: Path, dockerfile: str, files: Mapping[str, str]) -> tuple[str, str]:
    """The last line, and what was refused."""
    project(folder, {"Dockerfile": dockerfile, **files})
    context = ContextFiles.read(folder, folder / "Dockerfile")
    draft = run_strategy(
        new_draft(dockerfile), find_strategy("exec-form"), Project(context, builtin_ecosystems())
    )
    return draft.text.splitlines()[-1], " ".join(skip.reason for skip in draft.skips)


NAMES_IT = [
    pytest.param(
        "WORKDIR /app\nCOPY . .\nCMD ./start", {"start": BARE}, id="relative, in the copied folder"
    ),
    pytest.param(
        "WORKDIR /app\nCOPY bin bin\nCMD bin/start",
        {"bin/start": BARE},
        id="relative, in a folder of it",
    ),
    pytest.param(
        "COPY ops/run /usr/local/bin/start\nCMD start", {"ops/run": BARE}, id="renamed into PATH"
    ),
    pytest.param(
        "COPY ops /usr/local/bin\nCMD start", {"ops/start": BARE}, id="a folder into PATH"
    ),
    pytest.param(
        "COPY ops/* /usr/local/bin/\nCMD exec start",
        {"ops/start": BARE},
        id="by a pattern, behind exec",
    ),
    pytest.param("ENTRYPOINT /opt/start", {"start": BARE}, id="an entry point"),
    pytest.param(
        "WORKDIR /srv\nCOPY . .\nCMD start -p 80", {"tools/start": BARE}, id="somewhere below"
    ),
    pytest.param("CMD /app/start", {"start": BARE}, id="from another stage"),
    pytest.param(
        "COPY start /start\nCMD /start", {"start": "\ufeff#!/bin/sh\n"}, id="a byte order mark"
    ),
    pytest.param(
        "COPY start /start\nCMD /start", {"start": "\n#!/bin/sh\n"}, id="an empty line first"
    ),
    pytest.param("COPY start /start\nCMD /start", {"start": ""}, id="an empty file"),
    pytest.param(
        "COPY start /start\nCMD /start",
        {"start": "#!/bin/sh\r\nexec app\r\n"},
        id="a carriage return",
    ),
    pytest.param("COPY <<EOF /start\nexec app\nEOF\nCMD /start", {}, id="a here-document"),
    pytest.param(
        "RUN printf 'exec app\\n' > /usr/bin/start\nCMD start", {}, id="written by a step"
    ),
    pytest.param(
        "RUN <<EOF\ncat > /start <<X\nexec app\nX\nEOF\nCMD /start",
        {},
        id="written in a here-document",
    ),
    pytest.param("ADD https://example.org/start /start\nCMD /start", {}, id="fetched"),
    pytest.param(
        "COPY . /src\nRUN cp /src/ops/start /start\nCMD /start",
        {"ops/start": BARE},
        id="copied by a step",
    ),
    pytest.param(
        "RUN curl -Lo /bin/start https://a.b/start\nCMD start", {}, id="fetched by a step"
    ),
    pytest.param(
        "RUN wget -O /start https://a.b/c\nCMD /start", {}, id="fetched under a name of its own"
    ),
    pytest.param(
        "RUN wget --output-document=/start https://a.b/c\nCMD /start",
        {},
        id="fetched, with a long option",
    ),
    pytest.param("WORKDIR /a\nRUN curl https://a.b/c | tar xz\nCMD ./start", {}, id="unpacked"),
    pytest.param(
        "RUN curl https://a.b/c | tar xz -C /bin start\nCMD start", {}, id="unpacked by name"
    ),
    pytest.param(
        "RUN wget a.b/c && unzip c && mv c-1/start /bin/start\nCMD start",
        {},
        id="unpacked and moved",
    ),
    pytest.param(
        "RUN curl https://a.b/c.tgz | tar xz -C /usr/local/bin\nCMD start",
        {},
        id="unpacked into PATH",
    ),
    pytest.param(
        "RUN wget a.b/c.zip && unzip c.zip -d /bin/\nCMD start",
        {},
        id="unpacked into PATH by unzip",
    ),
    pytest.param(
        "RUN curl https://a.b/install | sh\nCMD start", {}, id="by an installer from elsewhere"
    ),
    pytest.param(
        "RUN curl a.b/i | bash -s -- -b /bin\nCMD start", {}, id="by an installer with words"
    ),
    pytest.param("RUN git clone https://a.b/c /c\nCMD /c/start", {}, id="cloned"),
    pytest.param(
        "WORKDIR /a\nCOPY . .\nRUN make\nCMD ./start", {"Makefile": "start:\n"}, id="made"
    ),
    pytest.param(
        "WORKDIR /a\nCOPY . .\nRUN npm run build\nCMD dist/start",
        {"package.json": "{}"},
        id="built",
    ),
    pytest.param(
        "WORKDIR /a\nCOPY . .\nCMD bin/start", {"bin/other": GOOD}, id="not among the copied files"
    ),
    pytest.param("CMD /opt/app/start", {}, id="the base's, which nobody looked at"),
]


@pytest.mark.parametrize(("lines", "files"), NAMES_IT)
def test_a_text_without_a_first_line_needs_the_shell(
    tmp_path: Path, lines: str, files: Mapping[str, str]
) -> None:
    head = (
        "FROM alpine AS b\nWORKDIR /b\nCOPY . .\nFROM alpine\nCOPY --from=b /b/start /app/start\n"
    )
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
        pytest.param("WORKDIR /a\nCOPY . .\nRUN gcc -o start a.c\nCMD ./start", {"a.c": ""}, 'CMD ["./start"]',
                     id="compiled into the working directory"),
        pytest.param("WORKDIR /a\nRUN cargo build --release\nCMD target/release/start", {},
                     'CMD ["target/release/start"]', id="compiled under a name that the command does not say"),
        pytest.param("WORKDIR /a\nRUN dotnet publish -o out\nCMD out/start", {}, 'CMD ["out/start"]', id="published"),
        pytest.param("WORKDIR /a\nRUN swift build -c release\nCMD .build/release/start", {},
                     'CMD [".build/release/start"]', id="of another language"),
        pytest.param("RUN curl a.b | tar xz -C /bin\nRUN pip install 'start[x]==1'\nCMD start", {}, 'CMD ["start"]',
                     id="installed, beside something unpacked"),
        pytest.param("RUN curl a.b | sh\nCMD poetry run start", {}, 'CMD ["poetry", "run", "start"]',
                     id="a manager from an installer"),
        pytest.param("COPY <<-EOF /start\n\t#!/bin/sh\n\tapp\n\tEOF\nCMD /start", {}, 'CMD ["/start"]',
                     id="a here-document whose tabs go"),
        pytest.param("RUN pip install start\nCMD /usr/local/bin/start", {}, 'CMD ["/usr/local/bin/start"]',
                     id="installed"),
        pytest.param("WORKDIR /a\nCOPY . .\nRUN npm ci\nCMD node_modules/.bin/start", {"package.json": "{}"},
                     'CMD ["node_modules/.bin/start"]', id="installed beside the source"),
        pytest.param("WORKDIR /a\nRUN python -m venv v\nCOPY . .\nCMD v/bin/start", {"a.py": ""},
                     'CMD ["v/bin/start"]', id="installed into an environment"),
        pytest.param("COPY --from=tool:1 /start /bin/start\nCMD start", {}, 'CMD ["start"]', id="another image's"),
        pytest.param("COPY ops/start /bin/\nRUN ln -s /bin/start /start\nCMD /start", {"ops/start": GOOD},
                     'CMD ["/start"]', id="a link to a file with a first line"),
        pytest.param("CMD env -S 'A=1 app'", {}, 'CMD ["env", "-S", "A=1 app"]', id="env is a program"),
    ],
)  # fmt: skip
def test_a_program_starts_by_itself(
    tmp_path: Path, lines: str, files: Mapping[str, str], last: str
) -> None:
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
            "ENV PATH ./node_modules/.bin:$PATH\nCMD app",
            "PATH has a folder",
            id="a relative folder in PATH",
        ),
        pytest.param("ENV PATH=$PATH:\nCMD app", "PATH has a folder", id="an empty folder in PATH"),
    ],
)
def test_what_only_a_shell_does(tmp_path: Path, lines: str, refused: str) -> None:
    assert refused in rewritten(tmp_path, f"FROM alpine\n{lines}\n", {})[1]


@pytest.mark.parametrize("steps", ["go build -o /out/start ./cmd", "go build && mv app /out/start"])
def test_a_program_compiled_in_another_stage_starts_by_itself(steps: str, tmp_path: Path) -> None:
    head = f"FROM golang AS b\nWORKDIR /src\nCOPY . .\nRUN {steps}\nFROM alpine\n"
    text = f"{head}COPY --from=b /out/start /start\nCMD /start\n"
    assert rewritten(tmp_path, text, {"go.mod": "module app\n"})[0] == 'CMD ["/start"]'


def test_a_program_fetched_in_another_stage_is_not_known(tmp_path: Path) -> None:
    text = "FROM alpine AS b\nRUN curl -o /x a.b/c\nFROM alpine\nCOPY --from=b /x /bin/start\nCMD start\n"
    assert "is not known" in rewritten(tmp_path, text, {})[1]


ROWS = {
    "unread": "CMD app '",
    "list": "CMD a; b",
    "variables": "CMD A=1 app",
    "variable": "CMD app $A",
    "pattern": "CMD app *.x",
    "characters": "CMD app 'a\tb'",
    "path": "ENV PATH=bin\nCMD app",
    "file": "CMD /app/start",
    "append": 'ENTRYPOINT app\nCMD ["x"]',
    "entrypoint": 'FROM alpine AS a\nENTRYPOINT ["a"]\nFROM a\nCMD app',
    "shell": 'SHELL ["/bin/ash", "-c"]\nCMD app',
    "reads": "CMD app",
    "builtin": "CMD echo a",
}
READS = {"reads": {"a/b.py": "root = os.environ['PWD']\n"}}
HAS_IT_ANYWAY = {
    "a script of a shell": {"a/b.sh": "cd $PWD\n"},
    "a package": {"node_modules/x/b.js": "process.env.PWD || process.cwd()\n"},
    "a word of another meaning": {"a/b.py": "PWD = 1\n# the PWD of a shell\n"},
    "a variable of the image": {"a/b.py": "os.environ['HOME']\n"},
}


@pytest.mark.parametrize("row", KEEPS)
def test_every_row_of_the_table_decides(row: str, tmp_path: Path) -> None:
    said = KEEPS[row][1].partition("{what}")
    refused = rewritten(tmp_path, f"FROM alpine\n{ROWS[row]}\n", READS.get(row, {}))[1]
    assert refused and said[0] in refused and said[2] in refused


@pytest.mark.parametrize("case", HAS_IT_ANYWAY)
def test_a_source_that_needs_no_shell_for_its_variables(case: str, tmp_path: Path) -> None:
    line, refused = rewritten(tmp_path, "FROM alpine\nCMD app x\n", HAS_IT_ANYWAY[case])
    assert (line, refused) == ('CMD ["app", "x"]', "")
