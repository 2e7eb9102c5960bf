"""The image configuration: what `docker run`, compose files and orchestrators read must say the
same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from imgopt.image.config import Healthcheck, ImageConfig
from imgopt.inspect.failures import Item
from imgopt.inspect.image_view import ImageView
from imgopt.inspect.start.variables import is_descriptive_label
from imgopt.proof.allowances import Allowances
from imgopt.proof.check import Check, Comparison, Outcome, counted, judged
from imgopt.proof.checks.variables import Variables, compare_variables
from imgopt.proof.example import ENV, File, Mutation
from imgopt.proof.unused_folder import unused_folder

NAME = "configuration"
_TERM = ("", "TERM", "SIGTERM", "15")


def check_configuration(before: ImageView, after: ImageView, allowances: Allowances) -> Outcome:
    """Every key of both configurations; the environment by the rules of
    `imgopt.proof.checks.variables`. What the author set is told from what the base says. The user
    is judged by the non-root check.
    """
    original, candidate = before.config, after.config
    base = before.base.config if before.base else None
    candidate_base = after.base.config if after.base else None
    found: list[Item] = []
    allowed: list[str] = []
    for item in (
        *_start(original, candidate, allowances, allowed),
        *_keys(original, candidate, base),
    ):
        reason = (
            allowances.configuration.get(item.subject)
            or _from_base(item.subject, original, candidate_base)
            or _describes(item.subject)
        )
        if reason:
            allowed.append(f"{item}: {reason}")
        else:
            found.append(item)
    variables = Variables(
        original.environment,
        candidate.environment,
        _inherited(original.environment, base),
        before,
        after,
        original.user != candidate.user,
    )
    different, named = compare_variables(variables, allowances)
    variables_and_ports = (
        f"{counted(len(original.env), 'variable')}, {counted(len(original.exposed_ports), 'port')}"
    )
    volumes, labels = (
        counted(len(original.volumes), "volume"),
        counted(len(original.labels), "label"),
    )
    detail = (
        f"entrypoint, command, {variables_and_ports}, {volumes}, working directory, {labels}, stop"
        " signal, health check"
    )
    return judged(NAME, detail, [*found, *different], [*allowed, *named])


def _from_base(key: str, original: ImageConfig, candidate_base: ImageConfig | None) -> str | None:
    """EXPOSE cannot be taken back: a port that the candidate's base names, and the original has
    not, is a note."""
    port = key.removeprefix("expose:")
    if (
        candidate_base
        and port in candidate_base.exposed_ports
        and port not in original.exposed_ports
    ):
        return "named by the candidate's base image"
    return None


def _describes(key: str) -> str | None:
    name = key.removeprefix("label:")
    if name != key and is_descriptive_label(name):
        return "it describes the image: no service goes by it"
    return None


def _inherited(environment: Mapping[str, str], base: ImageConfig | None) -> frozenset[str]:
    below = base.environment if base else {}
    return frozenset(name for name, value in environment.items() if below.get(name) == value)


def _item(key: str, message: str) -> Item:
    return Item("configuration", key, message=message)


def _start(
    original: ImageConfig, candidate: ImageConfig, allowances: Allowances, allowed: list[str]
) -> Iterator[Item]:
    wanted = (original.entrypoint or (), original.cmd or ())
    given = (candidate.entrypoint or (), candidate.cmd or ())
    if given == wanted:
        return
    start = allowances.start
    if start and given == (start.entrypoint, start.command):
        allowed.append(f"starts with {_words(*given)}: {start.reason}")
        return
    for key, before, after in (
        ("entrypoint", wanted[0], given[0]),
        ("command", wanted[1], given[1]),
    ):
        if before != after:
            yield _item(key, f"{key} is {_json(after)} instead of {_json(before)}")


def _words(entrypoint: tuple[str, ...], command: tuple[str, ...]) -> str:
    return _json((*entrypoint, *command))


def _json(words: tuple[str, ...]) -> str:
    return "[" + ", ".join(f'"{word}"' for word in words) + "]" if words else "none"


def _keys(
    original: ImageConfig, candidate: ImageConfig, base: ImageConfig | None
) -> Iterator[Item]:
    yield from _sets("expose", "exposed port", original.exposed_ports, candidate.exposed_ports)
    yield from _sets("volume", "volume", original.volumes, candidate.volumes)
    yield from _labels(original.labels, candidate.labels, base)
    for key, before, after in (
        ("workdir", original.workdir or "/", candidate.workdir or "/"),
        ("platform", original.platform, candidate.platform),
        ("onbuild", " ".join(original.onbuild), " ".join(candidate.onbuild)),
        ("stop-signal", _signal(original.stop_signal), _signal(candidate.stop_signal)),
    ):
        if before != after:
            yield _item(key, f"{key} is {after or 'none'} instead of {before or 'none'}")
    yield from _health(original.healthcheck, candidate.healthcheck)


def _sets(key: str, word: str, before: tuple[str, ...], after: tuple[str, ...]) -> Iterator[Item]:
    for value in sorted({*before} - {*after}):
        yield _item(f"{key}:{value}", f"{word} {value} is missing")
    for value in sorted({*after} - {*before}):
        yield _item(f"{key}:{value}", f"{word} {value} is new")


def _labels(
    before: Mapping[str, str], after: Mapping[str, str], base: ImageConfig | None
) -> Iterator[Item]:
    """Labels that only describe the base image, or our own run, go with it; more labels than before
    do no harm."""
    below = base.labels if base else {}
    for name, value in sorted(before.items()):
        given = after.get(name)
        if given != value and below.get(name) != value and not name.startswith("imgopt."):
            said = "is missing" if given is None else f"is {given!r} instead of {value!r}"
            yield _item(f"label:{name}", f"label {name} {said}")


def _signal(name: str) -> str:
    return (
        "SIGTERM"
        if name in _TERM
        else name
        if name.startswith("SIG") or name.isdigit()
        else f"SIG{name}"
    )


def _health(before: Healthcheck | None, after: Healthcheck | None) -> Iterator[Item]:
    """A health check that the original did not have is no difference for those who use the
    image."""
    wanted = before if before and before.test not in ((), ("NONE",)) else None
    if wanted and (after is None or wanted != after):
        said = "is missing" if after is None else "is another one"
        yield _item("healthcheck", f"health check {' '.join(wanted.test)!r} {said}")


def _judge(given: Comparison) -> Outcome:
    original, candidate = given.original, given.candidate
    allowances = given.allowances
    if original.workdir != candidate.workdir and "workdir" not in allowances.configuration:
        reason = unused_folder(given, original.workdir)
        said = {"workdir": reason} if reason else {}
        allowances = replace(allowances, configuration={**allowances.configuration, **said})
    return check_configuration(original, candidate, allowances)


CHECK = Check(
    NAME,
    "start, variables, ports, volumes, working directory, labels, stop signal and health check",
    _judge,
    (
        Mutation(
            "a variable changes",
            "MODE is 'worker' instead of 'web'",
            config={"Env": [*ENV[:3], "MODE=worker"]},
        ),
        Mutation("a variable is lost", "MODE=web is not set", config={"Env": ENV[:3]}),
        Mutation(
            "a behaviour is switched on",
            "NODE_ENV=production is new",
            config={"Env": [*ENV, "NODE_ENV=production"]},
        ),
        Mutation(
            "another program is found first",
            "PATH",
            files={"opt/first/convert": File("other", 0o755)},
            config={"Env": ["PATH=/opt/first:/usr/local/bin:/usr/bin:/bin", *ENV[1:]]},
        ),
        Mutation(
            "another module is found first",
            "PYTHONPATH",
            files={"opt/first/wave.py": "raise"},
            config={"Env": [*ENV, "PYTHONPATH=/opt/first"]},
        ),
        Mutation(
            "fewer certificates are trusted",
            "SSL_CERT_FILE",
            files={"opt/own.pem": "none"},
            config={"Env": [*ENV, "SSL_CERT_FILE=/opt/own.pem"]},
        ),
        Mutation("another home", "HOME", config={"Env": [*ENV, "HOME=/srv"]}),
        Mutation("the command changes", "--debug", config={"Cmd": ["/app/run.sh", "--debug"]}),
        Mutation(
            "the command is an entrypoint",
            "entrypoint",
            config={"Cmd": None, "Entrypoint": ["/app/run.sh"]},
        ),
        Mutation("a port is not exposed", "8000/tcp", config={"ExposedPorts": None}),
        Mutation("a volume is lost", "/data", config={"Volumes": None}),
        Mutation("the working directory changes", "workdir", config={"WorkingDir": "/"}),
        Mutation("the stop signal changes", "stop-signal", config={"StopSignal": "SIGKILL"}),
        Mutation("a label is lost", "team", config={"Labels": None}),
    ),
)
