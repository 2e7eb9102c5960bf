"""BuildKit's cache rules, one case each: what was measured on a real engine, by the name of the
rule.

`expect` is the engine's answer for each step of the second build, in file order: H hit, M miss.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .kit import Case, File, Link, Mode, Project

F = "FROM imgopt.test/base\n"


@dataclass(frozen=True)
class Row:
    case: Case
    expect: str

    @property
    def name(self) -> str:
        return self.case.name


def row(name: str, expect: str, before: Project, after: Project) -> Row:
    return Row(Case(name, before, after), expect)


def text(
    name: str, expect: str, before: str, after: str, files: Mapping[str, File] | None = None
) -> Row:
    """A change of the Dockerfile only."""
    kept = files or {}
    return row(name, expect, Project(F + before, kept), Project(F + after, kept))


def edit(
    name: str,
    expect: str,
    dockerfile: str,
    files: Mapping[str, File],
    changed: Mapping[str, File],
    without: Sequence[str] = (),
) -> Row:
    """A change of the context only."""
    project = Project(
        dockerfile if dockerfile.startswith(("FROM", "ARG", "#")) else F + dockerfile, files
    )
    return row(name, expect, project, project.but(changed, without))


def args(
    name: str, expect: str, dockerfile: str, before: Mapping[str, str], after: Mapping[str, str]
) -> Row:
    """A change of --build-arg only."""
    head = "" if "FROM" in dockerfile else F
    return row(
        name, expect, Project(head + dockerfile, {}, before), Project(head + dockerfile, {}, after)
    )


TWO = "FROM imgopt.test/base AS b\nCOPY in /in\nRUN cp /in/keep /out && date +%N > /junk\nFROM imgopt.test/base\n"
IN: dict[str, File] = {"in/keep": "k", "in/other": "1"}
OTHER: dict[str, File] = {"in/other": "2"}
AB: dict[str, File] = {"a.txt": "1", "b.txt": "1"}
WEB: dict[str, File] = {"a.py": "1", "b.py": "1", "n.txt": "1", "d/x.py": "1"}

STAGES = (
    edit(
        "next-run-after-a-rebuilt-step-never-hits",
        "MMM",
        "COPY a /a\nRUN true\nRUN : 2\n",
        {"a": "1"},
        {"a": "2"},
    ),
    edit(
        "copy-onto-a-rebuilt-step-never-hits",
        "MM",
        "COPY a /a\nCOPY b /b\n",
        {"a": "1", "b": "1"},
        {"a": "2"},
    ),
    edit(
        "workdir-after-a-rebuilt-step-never-hits",
        "MM",
        "COPY a /a\nWORKDIR /w\n",
        {"a": "1"},
        {"a": "2"},
    ),
    edit(
        "copy-from-a-rebuilt-stage-hits-when-the-file-is-the-same",
        "MMHHHH",
        TWO + "COPY --from=b /out /out\nRUN true\nWORKDIR /w\nRUN echo 2\n",
        IN,
        OTHER,
    ),
    edit(
        "from-a-rebuilt-stage-never-hits",
        "MMM",
        "FROM imgopt.test/base AS b\nCOPY in /in\nRUN true\nFROM b\nRUN echo 2\n",
        IN,
        OTHER,
    ),
    edit(
        "bind-mount-of-a-sub-path-of-a-rebuilt-stage-hits",
        "MMH",
        TWO + "RUN --mount=type=bind,from=b,source=/out,target=/m cat /m\n",
        IN,
        OTHER,
    ),
    edit(
        "bind-mount-without-source-hashes-the-whole-stage",
        "MMM",
        TWO + "RUN --mount=type=bind,from=b,target=/m cat /m/out\n",
        IN,
        OTHER,
    ),
    edit(
        "copy-of-an-untouched-path-from-a-stage-with-a-later-copy",
        "HMHH",
        "FROM imgopt.test/base AS b\nRUN mkdir /venv && date +%N > /venv/x\nCOPY in /app\n"
        "FROM imgopt.test/base\nCOPY --from=b /venv /venv\nRUN true\n",
        IN,
        OTHER,
    ),
    edit(
        "copy-of-the-changed-path-itself-from-a-stage",
        "MHMM",
        "FROM imgopt.test/base AS b\nCOPY in /app\nFROM imgopt.test/base\nCOPY --from=b /app/keep /k\n"
        "COPY --from=b /app/other /o\nRUN true\n",
        IN,
        OTHER,
    ),
    edit(
        "independent-stages-do-not-touch-each-other",
        "MHHM",
        "FROM imgopt.test/base AS x\nCOPY in/other /x\nFROM imgopt.test/base AS y\nCOPY in/keep /y\nRUN true\n"
        "FROM y\nCOPY --from=x /x /x\n",
        IN,
        OTHER,
    ),
    edit(
        "a-stage-that-nothing-needs-is-not-built",
        "H",
        "FROM imgopt.test/base AS no\nRUN false\nFROM imgopt.test/base\nCOPY in/keep /k\n",
        IN,
        OTHER,
    ),
    edit("copy-from-by-number", "MMH", TWO + "COPY --from=0 /out /out\n", IN, OTHER),
    row(
        "stage-names-are-in-no-key",
        "HHH",
        Project(
            "FROM imgopt.test/base AS b\nRUN : > /o\nFROM imgopt.test/base\nCOPY --from=b /o /o\nRUN true\n"
        ),
        Project(
            "FROM imgopt.test/base AS c\nRUN : > /o\nFROM imgopt.test/base\nCOPY --from=c /o /o\nRUN true\n"
        ),
    ),
)

COPIES = (
    edit("same-bytes-other-time-hits", "H", "COPY a /a\n", {"a": "1"}, {"a": "1"}),
    edit("chmod-misses", "M", "COPY a /a\n", {"a": "1"}, {"a": Mode("1", 0o755)}),
    edit(
        "chmod-misses-even-with-chmod-flag",
        "M",
        "COPY --chmod=644 a /a\n",
        {"a": "1"},
        {"a": Mode("1", 0o755)},
    ),
    edit(
        "group-write-bit-misses",
        "M",
        "COPY a /a\n",
        {"a": Mode("1", 0o644)},
        {"a": Mode("1", 0o664)},
    ),
    edit("empty-directory-added-misses", "M", "COPY d /d\n", {"d/a": "1"}, {"d/e": None}),
    edit("empty-directory-in-the-root-misses", "M", "COPY . /d\n", {"a": "1"}, {"e": None}),
    edit(
        "link-turned-inside-a-directory-misses",
        "M",
        "COPY d /d\n",
        {"d/a": "1", "d/b": "1", "d/l": Link("a")},
        {"d/l": Link("b")},
    ),
    edit(
        "link-as-source-is-followed",
        "H",
        "COPY l /l\n",
        {"a": "1", "b": "1", "l": Link("a")},
        {"l": Link("b")},
    ),
    edit(
        "link-as-source-replaced-by-the-same-file-hits",
        "H",
        "COPY l /l\n",
        {"a": "1", "l": Link("a")},
        {"l": "1"},
    ),
    edit(
        "link-as-source-whose-target-changed-misses",
        "M",
        "COPY l /l\n",
        {"a": "1", "l": Link("a")},
        {"a": "2"},
    ),
    edit(
        "link-to-a-directory-as-source",
        "M",
        "COPY l /l\n",
        {"d/a": "1", "l": Link("d")},
        {"d/a": "2"},
    ),
    edit("wildcard-other-files-hit", "H", "COPY *.py /d/\n", WEB, {"n.txt": "2", "d/x.py": "2"}),
    edit("wildcard-new-match-misses", "M", "COPY *.py /d/\n", WEB, {"c.py": "1"}),
    edit("wildcard-match-changed-misses", "M", "COPY *.py /d/\n", WEB, {"a.py": "2"}),
    edit("wildcard-match-renamed-misses", "M", "COPY *.py /d/\n", WEB, {"c.py": "1"}, ["a.py"]),
    edit("wildcard-of-directories-reads-all-in-them", "M", "COPY d* /d/\n", WEB, {"d/new": "1"}),
    edit(
        "exclude-hits-for-what-is-excluded",
        "H",
        "COPY --exclude=*.txt . /d/\n",
        WEB,
        {"n.txt": "2"},
    ),
    edit(
        "exclude-misses-for-the-rest",
        "M",
        "COPY --exclude=*.txt d /d/\n",
        {"d/a": "1", "d/b.txt": "1"},
        {"d/a": "2"},
    ),
    edit(
        "exclude-new-excluded-file-hits",
        "H",
        "COPY --exclude=*.txt d /d/\n",
        {"d/a": "1"},
        {"d/n.txt": "2"},
    ),
    text(
        "exclude-expands-no-variables",
        "H",
        "ENV X=*.txt\nCOPY --exclude=$X d /d/\n",
        "ENV X=*.md\nCOPY --exclude=$X d /d/\n",
        {"d/a": "1", "d/b.txt": "1"},
    ),
    edit(
        "exclude-does-not-reach-what-a-wildcard-names",
        "M",
        "COPY --exclude=b.txt *.txt /e/\n",
        AB,
        {"b.txt": "2"},
    ),
    edit(
        "exclude-does-not-reach-the-source-itself",
        "M",
        "COPY --exclude=a.txt a.txt /e/\n",
        AB,
        {"a.txt": "2"},
    ),
    edit(
        "exclude-follows-links-at-the-top",
        "H",
        "COPY --exclude=zz . /e/\n",
        {**AB, "l": Link("a.txt")},
        {"l": Link("b.txt")},
    ),
    edit(
        "exclude-hides-not-what-a-link-at-the-top-leads-to",
        "M",
        "COPY --exclude=d . /e/\n",
        {"l": Link("d"), "d/f": "1"},
        {"d/f": "2"},
    ),
    edit(
        "exclude-follows-no-link-further-down",
        "H",
        "COPY --exclude=a.txt . /e/\n",
        {**AB, "x/l": Link("../a.txt")},
        {"a.txt": "2"},
    ),
    edit(
        "exclude-of-a-directory-follows-no-link-in-it",
        "M",
        "COPY --exclude=zz x /e/\n",
        {**AB, "x/l": Link("../a.txt")},
        {"x/l": Link("../b.txt")},
    ),
    edit(
        "wildcard-follows-links-that-it-names",
        "H",
        "COPY l* /e/\n",
        {**AB, "l": Link("a.txt")},
        {"l": Link("b.txt")},
    ),
    edit(
        "wildcard-follows-no-link-further-down",
        "M",
        "COPY x* /e/\n",
        {**AB, "x1/l": Link("../a.txt")},
        {"x1/l": Link("../b.txt")},
    ),
    edit(
        "wildcard-link-to-a-directory",
        "M",
        "COPY l* /e/\n",
        {"l": Link("d"), "d/a": "1"},
        {"d/a": "2"},
    ),
    text(
        "wildcard-is-not-the-list-it-matches",
        "M",
        "COPY p*.json /d/\n",
        "COPY p1.json p2.json /d/\n",
        {"p1.json": "1", "p2.json": "2"},
    ),
    text(
        "the-directory-of-a-source-is-not-in-the-key",
        "H",
        "COPY src /s\n",
        "COPY p/src /s\n",
        {"src/a": "1", "p/src/a": "1"},
    ),
    text(
        "the-name-of-a-source-is-in-the-key",
        "M",
        "COPY src /s\n",
        "COPY cop /s\n",
        {"src/a": "1", "cop/a": "1"},
    ),
    text(
        "order-of-sources-is-in-the-key",
        "M",
        "COPY a b /d/\n",
        "COPY b a /d/\n",
        {"a": "1", "b": "2"},
    ),
    text("destination-is-in-the-key", "M", "COPY a /d\n", "COPY a /e\n", {"a": "1"}),
    text(
        "relative-destination-is-the-absolute-one",
        "HH",
        "WORKDIR /w\nCOPY a x\n",
        "WORKDIR /w\nCOPY a /w/x\n",
        {"a": "1"},
    ),
    text(
        "slash-at-the-end-of-the-destination-is-in-the-key",
        "M",
        "COPY a /d\n",
        "COPY a /d/\n",
        {"a": "1"},
    ),
    text("chown-is-in-the-key", "M", "COPY a /d\n", "COPY --chown=1:1 a /d\n", {"a": "1"}),
    text("chmod-flag-is-in-the-key", "M", "COPY a /d\n", "COPY --chmod=600 a /d\n", {"a": "1"}),
    text("heredoc-content-is-in-the-key", "M", "COPY <<E /d\na\nE\n", "COPY <<E /d\nb\nE\n"),
    text("heredoc-name-is-in-the-key", "M", "COPY <<E /d\na\nE\n", "COPY <<X /d\na\nX\n"),
    text("heredoc-text-is-expanded", "H", "ENV A=1\nCOPY <<E /d\n$A\nE\n", "COPY <<E /d\n1\nE\n"),
    text(
        "heredoc-with-a-quoted-name-is-not-expanded",
        "M",
        "ENV A=1\nCOPY <<'E' /d\n$A\nE\n",
        "ENV A=1\nCOPY <<'E' /d\n1\nE\n",
    ),
    text(
        "variables-of-copy-are-expanded-first",
        "H",
        "ENV P=a\nCOPY $P /d\n",
        "COPY a /d\n",
        {"a": "1"},
    ),
    text(
        "env-is-not-in-the-key-of-copy",
        "H",
        "ENV P=a\nCOPY a /d\n",
        "ENV P=b\nCOPY a /d\n",
        {"a": "1"},
    ),
    text("user-is-not-in-the-key-of-copy", "H", "COPY a /d\n", "USER 5\nCOPY a /d\n", {"a": "1"}),
    text("json-form-of-copy-is-the-same", "H", "COPY a /d\n", 'COPY ["a", "/d"]\n', {"a": "1"}),
    text("add-is-not-copy", "M", "COPY a /d\n", "ADD a /d\n", {"a": "1"}),
    text("dot-slash-in-a-source-is-the-same", "H", "COPY a /d\n", "COPY ./a /d\n", {"a": "1"}),
    text(
        "link-flag-without-merge-is-the-same-as-without",
        "H",
        "COPY a /d\n",
        "COPY --link a /d\n",
        {"a": "1"},
    ),
    row(
        "comment-in-the-dockerfile-breaks-copy-dot",
        "M",
        Project(F + "COPY . /d\n", {"a": "1"}),
        Project("# c\n" + F + "COPY . /d\n", {"a": "1"}),
    ),
    row(
        "comment-in-an-ignored-dockerfile-hits",
        "H",
        Project(F + "COPY . /d\n", {".dockerignore": "Dockerfile\n"}),
        Project("# c\n" + F + "COPY . /d\n", {".dockerignore": "Dockerfile\n"}),
    ),
    edit("unrelated-files-do-not-matter", "H", "COPY a /d\n", {"a": "1", "z": "1"}, {"z": "2"}),
    edit(
        "file-deleted-under-a-copied-directory-misses",
        "M",
        "COPY d /d\n",
        {"d/a": "1", "d/b": "1"},
        {},
        ["d/b"],
    ),
)

RUNS = (
    text(
        "exec-form-of-the-shell-is-the-same",
        "H",
        "RUN echo hi\n",
        'RUN ["/bin/sh", "-c", "echo hi"]\n',
    ),
    text(
        "keyword-case-spaces-and-comments-are-not-in-the-key",
        "H",
        "RUN echo a && \\\necho b\n",
        "run   echo a && \\\n# comment\n\necho b  \n",
    ),
    text(
        "crlf-is-not-in-the-key",
        "H",
        "RUN echo a && \\\n echo b\n",
        "RUN echo a && \\\r\n echo b\r\n",
    ),
    text(
        "indentation-of-continued-lines-is-in-the-key",
        "M",
        "RUN echo a && \\\n echo b\n",
        "RUN echo a && \\\n  echo b\n",
    ),
    text("heredoc-with-the-same-command-misses", "M", "RUN echo a\n", "RUN <<E\necho a\nE\n"),
    text(
        "name-of-a-lone-heredoc-is-not-in-the-key",
        "H",
        "RUN <<E\necho a\nE\n",
        "RUN <<X\necho a\nX\n",
    ),
    text(
        "heredoc-after-a-command-is-in-the-key", "M", "RUN cat <<E\na\nE\n", "RUN cat <<E\nb\nE\n"
    ),
    text("env-before-is-in-the-key-used-or-not", "M", "RUN true\n", "ENV A=1\nRUN true\n"),
    text("env-changed-is-in-the-key", "M", "ENV A=1\nRUN true\n", "ENV A=2\nRUN true\n"),
    text("env-below-is-not-in-the-key", "H", "RUN true\nENV A=1\n", "RUN true\nENV A=2\n"),
    text(
        "one-env-line-or-two-is-the-same",
        "H",
        "ENV A=1\nENV B=2\nRUN true\n",
        "ENV A=1 B=2\nRUN true\n",
    ),
    text("order-of-env-is-in-the-key", "M", "ENV A=1 B=2\nRUN true\n", "ENV B=2 A=1\nRUN true\n"),
    text(
        "env-set-again-goes-to-the-end",
        "H",
        "ENV A=1 B=2\nENV A=3\nRUN true\n",
        "ENV B=2 A=3\nRUN true\n",
    ),
    text(
        "env-set-again-does-not-keep-its-place",
        "M",
        "ENV A=1 B=2\nENV A=3\nRUN true\n",
        "ENV A=3 B=2\nRUN true\n",
    ),
    text(
        "arg-set-again-goes-to-the-end",
        "H",
        "ENV A=1 B=2\nARG A=3\nRUN true\n",
        "ENV B=2 A=3\nRUN true\n",
    ),
    text("old-form-of-env-is-the-same", "H", "ENV A=1\nRUN true\n", "ENV A 1\nRUN true\n"),
    text("arg-with-a-value-is-in-the-key-used-or-not", "M", "RUN true\n", "ARG A=1\nRUN true\n"),
    text("arg-without-a-value-is-not-in-the-key", "H", "RUN true\n", "ARG A\nRUN true\n"),
    text(
        "arg-and-env-of-one-value-are-the-same", "H", "ARG A=1\nRUN true\n", "ENV A=1\nRUN true\n"
    ),
    text(
        "arg-below-is-not-in-the-key",
        "HM",
        "RUN true\nARG A=1\nRUN echo 2\n",
        "RUN true\nARG A=2\nRUN echo 2\n",
    ),
    text(
        "the-later-of-env-and-arg-wins-in-run",
        "H",
        "ENV A=1\nARG A=7\nRUN true\n",
        "ENV A=7\nRUN true\n",
    ),
    text("env-after-arg-wins-in-run", "H", "ARG A=7\nENV A=1\nRUN true\n", "ENV A=1\nRUN true\n"),
    args("arg-by-default-or-by-the-caller-is-the-same", "H", "ARG A=1\nRUN true\n", {}, {"A": "1"}),
    args("arg-from-the-caller-is-in-the-key", "M", "ARG A=1\nRUN true\n", {}, {"A": "2"}),
    args("undeclared-build-arg-is-not-in-the-key", "H", "RUN true\n", {}, {"A": "2"}),
    args(
        "global-arg-not-declared-again-is-not-in-the-key",
        "H",
        f"ARG A=1\n{F}RUN true\n",
        {},
        {"A": "2"},
    ),
    args(
        "global-arg-declared-again-is-in-the-key",
        "M",
        f"ARG A=1\n{F}ARG A\nRUN true\n",
        {},
        {"A": "2"},
    ),
    row(
        "global-default-of-a-declared-arg-is-in-the-key",
        "M",
        Project(f"ARG A=1\n{F}ARG A\nRUN true\n"),
        Project(f"ARG A=2\n{F}ARG A\nRUN true\n"),
    ),
    args(
        "arg-is-inherited-by-a-child-stage",
        "M",
        f"ARG X\n{F.strip()} AS p\nARG A\nFROM p\nRUN true\n",
        {"A": "1"},
        {"A": "2"},
    ),
    args(
        "proxy-undeclared-is-not-in-the-key",
        "H",
        "RUN true\n",
        {"HTTP_PROXY": "http://a"},
        {"HTTP_PROXY": "http://b"},
    ),
    args(
        "proxy-declared-is-in-the-key",
        "M",
        "ARG HTTP_PROXY\nRUN true\n",
        {"HTTP_PROXY": "http://a"},
        {"HTTP_PROXY": "http://b"},
    ),
    text(
        "arg-default-is-expanded",
        "H",
        "ENV B=1\nARG A=x$B\nRUN true\n",
        "ENV B=1\nARG A=x1\nRUN true\n",
    ),
    text("platform-arg-must-be-declared", "M", "RUN true\n", "ARG TARGETARCH\nRUN true\n"),
    text("user-is-in-the-key", "M", "RUN true\n", "USER 5\nRUN true\n"),
    text("shell-is-in-the-key", "M", "RUN true\n", 'SHELL ["/bin/bash", "-c"]\nRUN true\n'),
    text(
        "shell-is-not-in-the-key-of-the-exec-form",
        "H",
        'RUN ["true"]\n',
        'SHELL ["/bin/bash", "-c"]\nRUN ["true"]\n',
    ),
    text("directory-is-in-the-key", "MM", "WORKDIR /a\nRUN true\n", "WORKDIR /b\nRUN true\n"),
    text("network-is-in-the-key", "M", "RUN true\n", "RUN --network=none true\n"),
    text("network-default-is-the-default", "H", "RUN true\n", "RUN --network=default true\n"),
    text("workdir-owner-follows-user", "M", "WORKDIR /w\n", "USER 5\nWORKDIR /w\n"),
    text(
        "labels-ports-and-commands-are-in-no-key",
        "HH",
        "RUN true\nRUN echo 2\n",
        "LABEL a=b\nEXPOSE 80\nRUN true\nCMD x\nENTRYPOINT y\nVOLUME /v\nSTOPSIGNAL 9\nHEALTHCHECK CMD true\n"
        "ONBUILD RUN false\nRUN echo 2\n",
    ),
)

WRITTEN_OTHERWISE = (
    text(
        "octal-modes-are-numbers",
        "H",
        "COPY --chmod=644 a /a\n",
        "COPY --chmod=0644 a /a\n",
        {"a": "1"},
    ),
    text(
        "root-is-owner-0",
        "H",
        "COPY --chown=0:0 a /a\n",
        "COPY --chown=root:root a /a\n",
        {"a": "1"},
    ),
    text(
        "owner-without-group-is-another",
        "M",
        "COPY --chown=0 a /a\n",
        "COPY --chown=0:0 a /a\n",
        {"a": "1"},
    ),
    text("owner-0-is-not-no-owner", "M", "COPY a /a\n", "COPY --chown=0:0 a /a\n", {"a": "1"}),
    text(
        "dot-as-destination-has-a-slash",
        "HH",
        "WORKDIR /w\nCOPY a .\n",
        "WORKDIR /w\nCOPY a /w/\n",
        {"a": "1"},
    ),
    text("slash-dot-at-the-end-has-none", "M", "COPY a /y/.\n", "COPY a /y/\n", {"a": "1"}),
    text("destination-is-cleaned", "H", "COPY a /x/../y//z\n", "COPY a /y/z\n", {"a": "1"}),
    text("source-is-cleaned", "H", "COPY d /y\n", "COPY /d/ /y\n", {"d/a": "1"}),
    text("source-above-the-context-is-in-it", "H", "COPY ../a /y\n", "COPY a /y\n", {"a": "1"}),
    text(
        "relative-directory-is-the-absolute-one",
        "HH",
        "WORKDIR /a\nWORKDIR b\n",
        "WORKDIR /a\nWORKDIR /a/b\n",
    ),
    text(
        "directory-of-run-is-as-written", "HM", "WORKDIR /a/\nRUN true\n", "WORKDIR /a\nRUN true\n"
    ),
    text("user-name-is-as-written", "M", "USER 0\nRUN true\n", "USER root\nRUN true\n"),
    text("path-set-again-goes-to-the-end", "M", "RUN true\n", "ENV PATH=$PATH\nRUN true\n"),
    text(
        "quotes-of-env-are-not-in-the-key",
        "H",
        'ENV A="1 2"\nRUN true\n',
        "ENV A=1\\ 2\nRUN true\n",
    ),
    text(
        "bind-is-the-default-mount",
        "H",
        "RUN --mount=type=bind,source=a,target=/x true\n",
        "RUN --mount=source=/a,dst=/x,ro true\n",
        {"a": "1"},
    ),
    text(
        "writable-bind-is-another",
        "M",
        "RUN --mount=source=a,target=/x true\n",
        "RUN --mount=source=a,target=/x,rw true\n",
        {"a": "1"},
    ),
    text(
        "cache-mode-is-in-the-key-even-the-default",
        "M",
        "RUN --mount=type=cache,target=/x true\n",
        "RUN --mount=type=cache,target=/x,mode=0755 true\n",
    ),
    text(
        "cache-id-that-is-the-target-is-the-default",
        "H",
        "RUN --mount=type=cache,target=/x true\n",
        "RUN --mount=type=cache,target=/x,id=/x true\n",
    ),
    text(
        "secret-defaults-written-out",
        "H",
        "RUN --mount=type=secret,id=s true\n",
        "RUN --mount=type=secret,id=s,target=/run/secrets/s,mode=0400,required=false true\n",
    ),
    text(
        "tabs-of-a-dashed-heredoc-are-dropped",
        "H",
        "RUN <<E\necho a\nE\n",
        "RUN <<-E\n\techo a\nE\n",
    ),
    text(
        "name-of-a-script-heredoc-is-in-the-key",
        "M",
        "RUN <<E\n#!/bin/sh\necho\nE\n",
        "RUN <<X\n#!/bin/sh\necho\nX\n",
    ),
    text(
        "shell-is-in-the-key-of-a-script-heredoc",
        "M",
        "RUN <<E\n#!/bin/sh\necho\nE\n",
        'SHELL ["/bin/bash", "-c"]\nRUN <<E\n#!/bin/sh\necho\nE\n',
    ),
    text(
        "second-heredoc-of-copy-is-in-the-key",
        "M",
        "COPY <<E <<G /d/\na\nE\nb\nG\n",
        "COPY <<E <<G /d/\na\nE\nc\nG\n",
    ),
    text(
        "quotes-stay-in-a-heredoc-of-copy",
        "H",
        "ENV V=1\nCOPY <<E /d\n\"$V\" 'x'\nE\n",
        "ENV V=1\nCOPY <<E /d\n\"1\" 'x'\nE\n",
    ),
    text("unpack-is-the-default-of-add", "H", "ADD a /a\n", "ADD --unpack=true a /a\n", {"a": "1"}),
    args(
        "epoch-is-in-the-key-of-copy",
        "M",
        "COPY <<E /d\na\nE\n",
        {"SOURCE_DATE_EPOCH": "1"},
        {"SOURCE_DATE_EPOCH": "2"},
    ),
    args(
        "epoch-is-in-the-key-of-workdir",
        "M",
        "WORKDIR /w\n",
        {"SOURCE_DATE_EPOCH": "1"},
        {"SOURCE_DATE_EPOCH": "2"},
    ),
    edit(
        "directory-that-is-emptied-by-the-ignore-file-is-sent",
        "M",
        "COPY . /d\n",
        {".dockerignore": "**/*.md\nDockerfile\n", "x/a.md": "1"},
        {"k": "1"},
        ["x/a.md"],
    ),
)

MOUNTS = (
    text(
        "order-of-mounts-is-not-in-the-key",
        "H",
        "RUN --mount=type=tmpfs,target=/a --mount=type=cache,target=/b true\n",
        "RUN --mount=type=cache,target=/b --mount=type=tmpfs,target=/a true\n",
    ),
    text(
        "target-of-a-cache-mount-is-in-the-key",
        "M",
        "RUN --mount=type=cache,target=/b true\n",
        "RUN --mount=type=cache,target=/c true\n",
    ),
    text("cache-mount-added-misses", "M", "RUN true\n", "RUN --mount=type=cache,target=/b true\n"),
    text(
        "cache-id-of-its-own-misses-once",
        "M",
        "RUN --mount=type=cache,target=/b true\n",
        "RUN --mount=type=cache,target=/b,id=x true\n",
    ),
    text(
        "another-cache-id-hits",
        "H",
        "RUN --mount=type=cache,target=/b,id=x true\n",
        "RUN --mount=type=cache,target=/b,id=y true\n",
    ),
    text(
        "cache-id-and-sharing-are-blanked-alike",
        "H",
        "RUN --mount=type=cache,target=/b,id=x true\n",
        "RUN --mount=type=cache,target=/b,sharing=locked true\n",
    ),
    text(
        "secret-id-is-in-the-key",
        "M",
        "RUN --mount=type=secret,id=a true\n",
        "RUN --mount=type=secret,id=b true\n",
    ),
    text(
        "secret-target-is-in-the-key",
        "M",
        "RUN --mount=type=secret,id=a true\n",
        "RUN --mount=type=secret,id=a,target=/s true\n",
    ),
    text(
        "secret-mode-is-in-the-key",
        "M",
        "RUN --mount=type=secret,id=a true\n",
        "RUN --mount=type=secret,id=a,mode=0444 true\n",
    ),
    text(
        "secret-as-variable-is-in-the-key",
        "M",
        "RUN --mount=type=secret,id=a true\n",
        "RUN --mount=type=secret,id=a,env=S true\n",
    ),
    text(
        "tmpfs-target-is-in-the-key",
        "M",
        "RUN --mount=type=tmpfs,target=/a true\n",
        "RUN --mount=type=tmpfs,target=/b true\n",
    ),
    text(
        "tmpfs-size-is-in-the-key",
        "M",
        "RUN --mount=type=tmpfs,target=/a true\n",
        "RUN --mount=type=tmpfs,target=/a,size=1048576 true\n",
    ),
    text(
        "bind-target-is-in-the-key",
        "M",
        "RUN --mount=source=a,target=/a true\n",
        "RUN --mount=source=a,target=/b true\n",
        {"a": "1"},
    ),
    text(
        "bind-source-name-is-not-in-the-key",
        "H",
        "RUN --mount=source=a,target=/a true\n",
        "RUN --mount=source=b,target=/a true\n",
        {"a": "1", "b": "1"},
    ),
    edit(
        "bind-content-is-in-the-key",
        "M",
        "RUN --mount=source=a,target=/a true\n",
        {"a": "1"},
        {"a": "2"},
    ),
    edit(
        "bind-of-one-file-ignores-others",
        "H",
        "RUN --mount=source=a,target=/a true\n",
        {"a": "1", "b": "1"},
        {"b": "2"},
    ),
    edit(
        "bind-without-source-reads-the-whole-context",
        "M",
        "RUN --mount=target=/a true\n",
        {"a": "1"},
        {"b": "2"},
    ),
    edit(
        "writable-bind-is-by-content-too",
        "M",
        "RUN --mount=source=a,target=/a,rw true\n",
        {"a": "1"},
        {"a": "2"},
    ),
    edit(
        "writable-bind-unchanged-hits",
        "H",
        "RUN --mount=source=a,target=/a,rw true\n",
        {"a": "1", "b": "1"},
        {"b": "2"},
    ),
    edit(
        "two-binds-of-one-context",
        "M",
        "RUN --mount=source=a,target=/a --mount=source=b,target=/b true\n",
        {"a": "1", "b": "1"},
        {"b": "2"},
    ),
    edit(
        "mount-after-a-rebuilt-step-never-hits",
        "MM",
        "COPY b /b\nRUN --mount=source=a,target=/a true\n",
        {"a": "1", "b": "1"},
        {"b": "2"},
    ),
)

BASE_CHANGES = (
    row(
        "another-base-misses-everything",
        "MM",
        Project("FROM scratch\nCOPY a /a\nWORKDIR /w\n", {"a": "1"}),
        Project(F + "COPY a /a\nWORKDIR /w\n", {"a": "1"}),
    ),
    row(
        "same-step-in-another-stage-is-found",
        "HHM",
        Project(F + "RUN echo x > /x\n"),
        Project(
            f"{F.strip()} AS one\nRUN echo x > /x\n{F}RUN echo x > /x\nCOPY --from=one /x /y\n"
        ),
    ),
    row(
        "onbuild-of-a-parent-stage-runs-in-the-child",
        "MM",
        Project(f"{F.strip()} AS p\nONBUILD COPY a /a\nFROM p\nRUN true\n", {"a": "1"}),
        Project(f"{F.strip()} AS p\nONBUILD COPY a /a\nFROM p\nRUN true\n", {"a": "2"}),
    ),
)


def ignored(name: str, expect: str, ignore: str, changed: str) -> Row:
    """`COPY . /d` where one file changes: H if the patterns leave it out."""
    files: dict[str, File] = {".dockerignore": ignore, "keep": "1", changed: "1"}
    return edit(f"ignore-{name}", expect, "COPY . /d\n", files, {changed: "2"})


IGNORES = (
    ignored("plain-name", "H", "x\n", "x"),
    ignored("plain-name-is-anchored", "M", "x\n", "s/x"),
    ignored("double-star-is-any-depth", "H", "**/x\n", "s/t/x"),
    ignored("double-star-is-also-no-depth", "H", "**/x\n", "x"),
    ignored("star-stays-in-one-name", "M", "*.x\n", "s/a.x"),
    ignored("star-matches", "H", "*.x\n", "a.x"),
    ignored("question-mark", "H", "?.x\n", "a.x"),
    ignored("class", "H", "[a-c].x\n", "b.x"),
    ignored("class-other", "M", "[a-c].x\n", "d.x"),
    ignored("escape", "H", "\\*x\n", "*x"),
    ignored("escape-is-no-wildcard", "M", "\\*x\n", "ax"),
    ignored("directory-covers-its-files", "H", "s\n", "s/t/x"),
    ignored("slash-at-the-end", "H", "s/\n", "s/x"),
    ignored("slash-at-the-start", "H", "/s\n", "s/x"),
    ignored("dot-slash", "H", "./s\n", "s/x"),
    ignored("dot-dot-is-cleaned", "H", "a/../s\n", "s/x"),
    ignored("comment", "M", "#x\n", "#x"),
    ignored("comment-after-a-space-is-a-pattern", "H", " #x\n", "#x"),
    ignored("case-matters", "M", "X\n", "x"),
    ignored("last-line-wins-back", "M", "x\n!x\n", "x"),
    ignored("last-line-wins-out", "H", "!x\nx\n", "x"),
    ignored("back-inside-an-excluded-directory", "M", "s\n!s/x\n", "s/x"),
    ignored("rest-of-that-directory", "H", "s\n!s/x\n", "s/y"),
    ignored("allow-list", "M", "*\n!s\n", "s/x"),
    ignored("allow-list-rest", "H", "*\n!s\n", "t/x"),
    ignored("trailing-double-star", "H", "s/**\n", "s/t/x"),
    ignored("double-star-inside", "H", "s/**/x\n", "s/a/b/x"),
    ignored("double-star-suffix", "H", "**/*.md\n", "s/a.md"),
    ignored("spaces-are-trimmed", "H", "  x  \n", "x"),
    ignored("blank-before-bang", "M", "x\n! x\n", "x"),
    row(
        "ignore-file-of-the-dockerfile-wins",
        "H",
        Project(
            F + "COPY . /d\n",
            {"Dockerfile.dockerignore": "x\n", ".dockerignore": "y\n", "x": "1", "y": "1"},
        ),
        Project(
            F + "COPY . /d\n",
            {"Dockerfile.dockerignore": "x\n", ".dockerignore": "y\n", "x": "2", "y": "1"},
        ),
    ),
    row(
        "ignore-file-of-the-dockerfile-is-not-merged",
        "M",
        Project(
            F + "COPY . /d\n",
            {"Dockerfile.dockerignore": "x\n", ".dockerignore": "y\n", "x": "1", "y": "1"},
        ),
        Project(
            F + "COPY . /d\n",
            {"Dockerfile.dockerignore": "x\n", ".dockerignore": "y\n", "x": "1", "y": "2"},
        ),
    ),
    row(
        "ignore-file-changed-with-the-same-files-left-hits",
        "H",
        Project(F + "COPY . /d\n", {".dockerignore": "x\n.dockerignore\n", "a": "1"}),
        Project(F + "COPY . /d\n", {".dockerignore": "x\nzz\n.dockerignore\n", "a": "1"}),
    ),
    row(
        "ignore-file-itself-is-copied",
        "M",
        Project(F + "COPY . /d\n", {".dockerignore": "x\n", "a": "1"}),
        Project(F + "COPY . /d\n", {".dockerignore": "x\nzz\n", "a": "1"}),
    ),
)

ROWS = (*STAGES, *COPIES, *RUNS, *WRITTEN_OTHERWISE, *MOUNTS, *BASE_CHANGES, *IGNORES)
