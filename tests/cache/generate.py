"""Random small projects and random edits of them, valid for BuildKit by construction."""

from __future__ import annotations

import random
from collections.abc import Callable

from .kit import Case, File, Link, Mode, Project

FILES: dict[str, File] = {
    "a.txt": "1",
    "b.py": "1",
    "z.log": "1",
    "run.sh": Mode("#!/bin/sh\n", 0o755),
    "src/m.py": "1",
    "src/t_test.py": "1",
    "src/sub/c.txt": "1",
    "src/in": Link("m.py"),
    "docs/x.md": "1",
    "link": Link("a.txt"),
    "folder": Link("src"),
}
IGNORES = (
    "docs\n",
    "**/*.md\n*.log\n",
    "Dockerfile\n.dockerignore\n",
    "src/sub\n!src/sub/c.txt\n",
    "*.log\nsrc/*_test.py\n",
    "# nothing\n**/sub\n",
    "*\n!src\n!a.txt\n!b.py\n!run.sh\n!link\n!folder\n",
)
COPIES = (
    "COPY . /w/",
    "COPY . .",
    "COPY src /s/",
    "COPY src/ s2/",
    "COPY ./src/m.py /m.py",
    "COPY *.txt /t/",
    "COPY src/*.py /t/",
    "COPY a.txt b.py /ab/",
    "COPY b.py a.txt /ab/",
    "COPY link /l",
    "COPY folder/m.py /fm",
    "COPY folder /f/",
    "COPY --chown=1:2 src /c/",
    "COPY --chmod=640 a.txt /x/",
    "COPY --exclude=*.md --exclude=**/c.txt . /e/",
    "COPY --exclude=*_test.py src /e2/",
    "COPY --link b.py /lb/",
    'COPY ["a.txt", "/j/"]',
    "COPY ${P:-a}.txt /v/",
    "COPY <<E /doc\nhello $V\nE",
    "COPY <<'E' /docs2/\nhello $V\nE",
    "ADD a.txt /add/",
    "ADD src /add2/",
    "COPY run.sh /usr/local/bin/",
)
RUNS = (
    "RUN true",
    "RUN echo {n} > /r{n}",
    "RUN echo {n} && \\\n    echo more",
    'RUN ["true", "{n}"]',
    "RUN date +%N > /junk{n}",
    "RUN mkdir -p /made{n} && echo x > /made{n}/f",
    "RUN <<E\necho {n} > /h{n}\nE",
    "RUN cat <<E > /k{n}\nline\nE",
    "RUN --mount=type=bind,source=src,target=/mnt{n} cp -r /mnt{n} /bound{n}",
    "RUN --mount=source=a.txt,target=/in{n} --mount=type=cache,target=/cache cat /in{n}",
    "RUN --mount=type=tmpfs,target=/tmpfs true",
    "RUN --mount=type=secret,id=s{n} true",
    "RUN --mount=target=/all{n},rw true",
    "RUN --network=none true {n}",
)
OTHERS = (
    "ENV V=1",
    "ENV V=2 W=3",
    "ENV P=a",
    "ENV W 4",
    "ARG X=1",
    "ARG Y",
    "ARG G",
    "LABEL l=1",
    "EXPOSE 80",
    "WORKDIR /w",
    "WORKDIR sub",
    "WORKDIR /",
    "CMD true",
    "VOLUME /vol",
    'SHELL ["/bin/bash", "-c"]',
    "HEALTHCHECK CMD true",
)


def generated(seed: int) -> Case:
    """One project and the same after one to three edits."""
    rng = random.Random(seed)
    project = _project(rng)
    changed = project
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        changed = rng.choice(EDITS)(rng, changed)
    return Case(f"seed-{seed}", project, changed)


def _project(rng: random.Random) -> Project:
    files = dict(FILES)
    if rng.random() < 0.5:
        files[".dockerignore"] = rng.choice(IGNORES)
    lines = ["ARG G=1"] if rng.random() < 0.3 else []
    count = rng.choice((1, 1, 2, 2, 3))
    for index in range(count):
        lines += _stage(rng, index)
    return Project("\n".join(lines) + "\n", files, {"X": "1"} if rng.random() < 0.2 else {})


def _stage(rng: random.Random, index: int) -> list[str]:
    child = index > 0 and rng.random() < 0.25
    base = f"s{rng.randrange(index)}" if child else "imgopt.test/base"
    scratch = not child and rng.random() < 0.1
    lines = [f"FROM {'scratch' if scratch else base} AS s{index}"]
    for _ in range(rng.randint(1, 5)):
        kind = rng.random()
        if kind < 0.45:
            lines.append(rng.choice(COPIES))
        elif kind < 0.7 and not scratch and not _may_be_scratch(child):
            lines.append(rng.choice(RUNS).replace("{n}", str(rng.randrange(4))))
        else:
            lines.append(rng.choice(OTHERS))
    # every stage has something that is sure to be there for others to copy
    lines.append(f"COPY src/m.py /sure{index}/m.py")
    if index:
        other = rng.randrange(index)
        lines.append(rng.choice(_FROM).format(other=other))
        if not scratch and not child and rng.random() < 0.4:
            lines.append(f"RUN --mount=from=s{other},source=/sure{other},target=/mm true")
    return lines


_FROM = (
    "COPY --from=s{other} /sure{other} /got",
    "COPY --from=s{other} /sure{other}/m.py /got/",
    "COPY --from={other} / /whole/",
    "COPY --from=s{other} /sure{other}/*.py /got/",
)


def _may_be_scratch(child: bool) -> bool:
    """A child of a scratch stage cannot run anything."""
    return child


def _edit_file(rng: random.Random, project: Project) -> Project:
    path = rng.choice(
        ("a.txt", "b.py", "z.log", "src/m.py", "src/t_test.py", "src/sub/c.txt", "docs/x.md")
    )
    return project.but({path: f"edited {rng.randrange(9)}"})


def _add_file(rng: random.Random, project: Project) -> Project:
    return project.but(
        {rng.choice(("new.txt", "src/new.py", "docs/n.md", "src/deep/er/x", "new.log")): "n"}
    )


def _remove_file(rng: random.Random, project: Project) -> Project:
    return project.but(without=[rng.choice(("z.log", "src/t_test.py", "docs/x.md", "src/in"))])


def _add_folder(rng: random.Random, project: Project) -> Project:
    return project.but({rng.choice(("empty", "src/empty", "docs/empty")): None})


def _chmod(rng: random.Random, project: Project) -> Project:
    path = rng.choice(("a.txt", "b.py", "src/t_test.py"))
    return project.but({path: Mode("1", rng.choice((0o755, 0o664, 0o600)))})


def _turn_link(rng: random.Random, project: Project) -> Project:
    return project.but(
        rng.choice(({"link": Link("b.py")}, {"src/in": Link("t_test.py")}, {"link": "1"}))
    )


def _ignore(rng: random.Random, project: Project) -> Project:
    return project.but({".dockerignore": rng.choice(IGNORES)})


def _argument(rng: random.Random, project: Project) -> Project:
    return project.but(args={**project.args, rng.choice("XYGZ"): str(rng.randrange(3))})


def _nothing(_: random.Random, project: Project) -> Project:
    return project


def _dockerfile(rng: random.Random, project: Project) -> Project:
    """Replaces one thing in the text, adds a line or swaps two."""
    text = project.dockerfile
    swaps = (
        ("ENV V=1", "ENV V=5"),
        ("ENV V=2 W=3", "ENV W=3 V=2"),
        ("ARG X=1", "ARG X=2"),
        ("LABEL l=1", "LABEL l=2"),
        ("    echo more", "  echo more"),
        ("COPY a.txt b.py", "COPY b.py a.txt"),
        ("--chmod=640", "--chmod=600"),
        ("AS s0", "AS S0"),
        ("ARG G=1", "ARG G=2"),
        ("hello", "bye"),
        ("RUN true", "run   true"),
        ("COPY src /s/", "COPY ./src/ /s/"),
        ("ENV W 4", "ENV W=4"),
        ("WORKDIR /w", "WORKDIR /w2"),
        ("RUN echo", "ENV NEW=1\nRUN echo"),
        ("COPY . /w/", "# comment\nCOPY . /w/"),
    )
    usable = [pair for pair in swaps if pair[0] in text]
    if not usable:
        return project.but(dockerfile=text + "# a comment\n")
    old, new = rng.choice(usable)
    return project.but(dockerfile=text.replace(old, new, 1))


EDITS: tuple[Callable[[random.Random, Project], Project], ...] = (
    _edit_file,
    _edit_file,
    _edit_file,
    _add_file,
    _remove_file,
    _add_folder,
    _chmod,
    _turn_link,
    _ignore,
    _argument,
    _dockerfile,
    _dockerfile,
    _dockerfile,
    _nothing,
)
