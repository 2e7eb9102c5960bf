"""non-root: the service runs as a numbered user that owns the application's own folders, and none
of the system."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from imgopt.dockerfile import Edit, Instruction, Stage
from imgopt.image.image import Image
from imgopt.inspect.files.application_files import made_by_author
from imgopt.inspect.files.home_files import asks_for_home, home_files
from imgopt.inspect.start.root_programs import programs_for_root
from imgopt.rewrite.effects import other_base
from imgopt.rewrite.evidence import Evidence, read_users
from imgopt.rewrite.final.as_root import as_root
from imgopt.rewrite.final.final_stage import FinalStage, run_lines
from imgopt.rewrite.final.owning import entered_by_all, owned_by
from imgopt.rewrite.final.writable import Writable, with_tree, writable
from imgopt.rewrite.image_examples import PYTHON_TEXT, SOURCE, WORKDIR, python_example
from imgopt.rewrite.lines.owning_lines import owning_lines
from imgopt.rewrite.strategy import USER_SHOWS, Change, Situation, Skip, Strategy

ROOTS_HOME = "/root"
OWN_USER = 10001
"""High enough to be nobody on the host."""
FALLBACK_USER = (
    "echo 'app:x:{user}:{user}::{home}:/sbin/nologin' >> /etc/passwd && echo 'app:x:{user}:' >>"
    " /etc/group"
)
_STEPS = frozenset(["FROM", "RUN", "COPY", "ADD", "WORKDIR"])
SYSTEM_FOLDERS = ("/", "/etc", "/usr", "/bin", "/sbin", "/lib", "/var/lib/dpkg", "/boot")


def rewrite(situation: Situation) -> Iterator[Change | Skip]:
    """Chooses a user of the base, or makes one, and gives it the folders of the application."""
    evidence = situation.evidence
    stage = situation.stage
    if evidence is None:
        yield Skip(
            "needs `imgopt optimize`: which folders the service writes to is measured in its"
            " smoke run"
        )
        return
    refusal = _refusal(evidence)
    if refusal:
        yield Skip(refusal, stage.line)
        return
    serves_files = situation.final is not None and bool(situation.final.server)
    owned = Writable() if serves_files else writable(evidence, situation.project.repairs.writable)
    made = made_by_author(evidence.view)
    system = next(
        (
            path
            for path in owned.all
            if path in SYSTEM_FOLDERS or (path.startswith("/etc/") and path not in made)
        ),
        None,
    )
    if system is not None:
        yield Skip(f"the service writes to {system}, which belongs to the system", stage.line)
        return
    home = reads_home(evidence) or next(iter(own_home(evidence)), "")
    if home and situation.final is None:
        yield Skip(
            f"{home} lies in root's home folder, where another user does not find it", stage.line
        )
        return
    if situation.final is not None:
        yield _in_final(situation, situation.final, evidence, owned, stage)
    else:
        yield from _in_text(situation, evidence, owned, stage)


def _refusal(evidence: Evidence) -> str:
    user = evidence.config.user.partition(":")[0]
    if user not in ("", "root", "0"):
        return f"the image runs as {user} already"
    if any(
        word.endswith(("gosu", "su-exec", "setpriv", "runuser")) for word in evidence.seen.executed
    ):
        return "the start script drops privileges itself"
    for_root = next(programs_for_root(evidence.view), None)
    if for_root is not None:
        return f"{for_root[1]} calls {for_root[0]}, which works for root alone"
    return ""


def reads_home(evidence: Evidence) -> str:
    """A file below root's home folder that the service reads; its home has to stay where it is
    then."""
    inside = sorted(
        path for path in evidence.opened if path.startswith("/root/") and path in evidence.facts
    )
    return next((path for path in inside if evidence.facts[path].kind == "file"), "")


def own_home(evidence: Evidence) -> list[str]:
    """What the author put into root's home folder for the service to find: settings, keys, models.
    A run does not show who reads them."""
    if "HOME" in evidence.config.environment:
        return []
    return [node.path for node in home_files(evidence.view, ROOTS_HOME)]


def _in_final(
    situation: Situation, final: FinalStage, evidence: Evidence, owned: Writable, stage: Stage
) -> Change:
    base = evidence.look_into(final.base) if evidence.look_into else None
    user, name = _user_of(base, final.server_user) if base is not None else (OWN_USER, "")
    kept = any(path in final.carved.paths("kept") for path in own_home(evidence))
    kept = kept or (
        "HOME" not in evidence.config.environment and bool(asks_for_home(evidence.view))
    )
    if kept and final.shell:  # some programs ask /etc/passwd where the home folder is
        user, name = OWN_USER, ""
    if not name and final.accounts:  # the author's own accounts come along
        user, name = next(
            ((number, n) for n, number, _ in evidence.users if n == "app" and number), (user, name)
        )
    complement = final.complement
    setup = final.setup
    if not name and final.shell:
        setup = (*setup, _make_user(situation, ROOTS_HOME if kept else ""))
    final = replace(final, setup=setup)
    if kept:
        owned = with_tree(owned, ROOTS_HOME, "its home folder, as it was root's")
    elif reads_home(evidence):
        final = entered_by_all(final, ROOTS_HOME)
    if kept or reads_home(evidence):
        told = f"ENV HOME={ROOTS_HOME}"
        complement = replace(complement, environment=(*complement.environment, told))
    new = replace(
        owned_by(final, owned, user, base.tree() if base is not None else None),
        user=f"{user}:{user}",
        owned=owned.all,
        complement=complement,
    )
    return Change(_because(user, name, owned, evidence), stage.line, final=new)


def _user_of(base: Image, wanted: str = "") -> tuple[int, str]:
    """The base's own user: distroless' nonroot, the `wanted` one, or the only ordinary user that it
    has."""
    users = read_users(base.tree())
    for name, number, _ in users:
        if name in ("nonroot", wanted):
            return number, name
    ordinary = [(number, name) for name, number, _ in users if 1000 <= number < 65534]
    return ordinary[0] if len(ordinary) == 1 else (OWN_USER, "")


def _make_user(situation: Situation, home: str = "") -> str:
    """`home`: a folder that is there; else one is made."""
    evidence = situation.evidence
    system = evidence.system(situation.project.ecosystems) if evidence is not None else None
    known = (system.add_user_at if home else system.add_user) if system is not None else ""
    command = (known or FALLBACK_USER).replace("{home}", home or "/tmp")
    return command.replace("{user}", str(OWN_USER))


def _in_text(
    situation: Situation, evidence: Evidence, owned: Writable, stage: Stage
) -> Iterator[Change | Skip]:
    """A stage that stays the author's own: USER goes in before its start, the owners where the
    files come from."""
    other = other_base(situation.effects)
    base = evidence.look_into(other) if other and evidence.look_into else evidence.view.base
    user, name = _user_of(base) if base is not None else (OWN_USER, "")
    has_shell = (
        base.tree().resolve("/bin/sh") is not None if base is not None else evidence.view.has_shell
    )
    lines = owning_lines(situation, owned, user)
    if (lines.early or lines.late) and not has_shell:
        yield Skip(
            f"{owned.all[0]} has to belong to the user, and the base has no shell to do it",
            stage.line,
        )
        return
    early = [*([] if name or not has_shell else [_make_user(situation)]), *lines.early]
    head = as_root(
        run_lines([" \\\n && ".join(early)] if early else []),
        situation.dockerfile,
        stage.start,
        evidence,
    )
    place, start = _end_of(stage)
    edits = (
        *lines.edits,
        *_insert(situation, stage.start.extent.end, head),
        *_insert(situation, place, run_lines(lines.late) + f"USER {user}:{user}\n"),
    )
    line = start.line if start is not None else stage.line
    yield Change(_because(user, name, owned, evidence), line, edits)


def _end_of(stage: Stage) -> tuple[int, Instruction | None]:
    """Where the user can change: in front of the start that follows the last step, else at the end
    of the stage."""
    last = max(at for at, item in enumerate(stage.instructions) if item.keyword in _STEPS)
    rest = stage.instructions[last + 1 :]
    start = next((item for item in rest if item.keyword in ("CMD", "ENTRYPOINT")), None)
    if start is None:
        return stage.instructions[-1].extent.end, None
    return (start.comments[0].start if start.comments else start.extent.start), start


def _insert(situation: Situation, at: int, text: str) -> Iterator[Edit]:
    eol = situation.dockerfile.eol
    if text:
        lead = eol if at and situation.dockerfile.text[at - 1] != "\n" else ""
        yield Edit(at, at, lead + text.replace("\n", eol))


def _because(user: int, name: str, owned: Writable, evidence: Evidence) -> str:
    who = f"runs as {name} ({user})" if name else f"runs as user {user}"
    owns = f" and may write to {owned.told()}" if owned else "; it has no folder of its own"
    low = [str(port) for port in evidence.seen.ports if port < 1024]
    ports = f"; port {', '.join(low)} is open to it in Docker 20.10 and later" if low else ""
    return f"the service {who}{owns}{ports}"


STRATEGY = Strategy(
    name="non-root",
    does="Runs the service as a user that is not root.",
    why=(
        "A process that is root in its container is root for every flaw of the kernel or of the"
        " runtime. A numeric user can be checked by Kubernetes (runAsNonRoot). It owns what the"
        " application may write to: folders that were made for it, its volumes, and what the smoke"
        " run or the sources write to; its working directory and the sources in it, too, where a"
        " source may write to a place that it does not name. Nothing of the system is its own."
    ),
    safety="evidence",
    makes=("slim",),
    doubt=60,
    changes_user=True,
    failures=frozenset(["not-writable", "permission", USER_SHOWS]),
    references=(
        "https://docs.docker.com/build/building/best-practices/#user",
        "https://kubernetes.io/docs/tasks/configure-pod-container/security-context/",
    ),
    rewrite=rewrite,
    refuses=(
        "The image has a user already; its start drops privileges itself; it has files of its own"
        " in root's home folder and stays one stage, or writes to folders of the system."
    ),
    evidence_examples=(
        python_example(
            "writes where the system's files are",
            before=PYTHON_TEXT,
            layers=(WORKDIR, SOURCE),
            written=("/etc/app.conf",),
            refused="the service writes to /etc, which belongs to the system",
        ),
        python_example(
            "another user already",
            before=PYTHON_TEXT.replace("CMD", "USER 7\nCMD"),
            layers=(WORKDIR, SOURCE),
            config={"Cmd": ["python", "app.py"], "WorkingDir": "/app", "User": "7"},
            refused="the image runs as 7 already",
        ),
        python_example(
            "root",
            before=PYTHON_TEXT,
            layers=(WORKDIR, SOURCE),
            written=("/app/data.db",),
            after=(
                "FROM python:3.11\nRUN groupadd --gid 10001 app && useradd --uid 10001 --gid app"
                " --create-home --no-log-init app \\\n"
                " && mkdir -p /app && chown 10001:10001 /app\nWORKDIR /app\n"
                'COPY --chown=10001:10001 . .\nUSER 10001:10001\nCMD ["python", "app.py"]\n'
            ),
        ),
    ),
)
