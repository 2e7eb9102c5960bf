"""cpu-wheels: packages for a graphics processor stay out where nothing asks for one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fnmatch import fnmatchcase

from imgopt.context.facts.runs import Accelerator
from imgopt.dockerfile import Edit, Instruction
from imgopt.dockerfile.shellmodel import Command
from imgopt.image.packages.names import plain_name
from imgopt.rewrite.effects import OtherBuilds
from imgopt.rewrite.lines.steps import script_of
from imgopt.rewrite.order.install_commands import Install, recognise
from imgopt.rewrite.order.manifests_read import reads
from imgopt.rewrite.strategy import Change, ContextFiles, Example, Situation, Skip, Strategy

REQUIREMENT = re.compile(r"^\s*([A-Za-z0-9][\w.-]*)", re.MULTILINE)
LOCKS = re.compile(r"(?:^|/)(?:poetry|uv|pdm|Pipfile)\.lock$")


def rewrite(situation: Situation) -> Iterator[Change | Skip]:
    """Every install of the shipped stage that brings such packages."""
    for ecosystem in situation.project.ecosystems:
        facts = ecosystem.accelerator
        if facts is not None and _is_measured(situation, facts) is not False:
            yield from _installs(situation, facts)


def _is_measured(situation: Situation, facts: Accelerator) -> bool | None:
    """Whether the image has such packages; None without an image."""
    evidence = situation.evidence
    return None if evidence is None else bool(_bytes(situation, facts))


def _bytes(situation: Situation, facts: Accelerator) -> int:
    packages = situation.evidence.all_packages if situation.evidence is not None else ()
    return sum(
        each.bytes
        for each in packages
        if any(fnmatchcase(each.name, glob) for glob in facts.packages)
    )


def _installs(situation: Situation, facts: Accelerator) -> Iterator[Change | Skip]:
    for part in situation.stage.chain:
        for item in part.instructions:
            for command in (
                script_of(situation.dockerfile, item).commands if item.keyword == "RUN" else ()
            ):
                install = recognise(
                    [value or "" for value in command.values], situation.project.ecosystems
                )
                if install is not None:
                    yield from _one(situation, item, command, install, facts)


def _one(
    situation: Situation, item: Instruction, command: Command, install: Install, facts: Accelerator
) -> Iterator[Change | Skip]:
    context = situation.project.context
    if install.manager.name != facts.manager:
        lock = next(
            (path for path in context.sizes if LOCKS.search(path) and _names(context, path, facts)),
            None,
        )
        if lock is not None and install.manager.optional and LOCKS.search(lock):
            yield Skip(
                f"{lock} names the wheels for a graphics processor: it has to be locked anew",
                item.line,
            )
        return
    lists = [context.text(path) for path in reads(install, context, "").files]
    names = {plain_name(name) for text in lists for name in REQUIREMENT.findall(text)}
    names |= {
        plain_name(match[1]) for word in install.arguments if (match := REQUIREMENT.match(word))
    }
    brought = sorted(names & {plain_name(name) for name in facts.brought_by})
    if not brought:
        return
    refusal = _refusal(situation, install, lists, facts)
    if refusal:
        yield Skip(refusal, item.line)
        return
    at = command.words[list(command.values).index("install")].span.end
    size = _bytes(situation, facts)
    saved = f"{size / 1e6:.0f} MB" if size else "more than 2 GB, as a rule"
    because = (
        f"nothing in the project asks for a graphics processor, and {brought[0]} brings the"
        " libraries for one"
    )
    allowed = OtherBuilds((*facts.packages, *facts.builds), "intended (--allow cpu-wheels)")
    yield Change(
        f"{because} ({saved})", item.line, (Edit(at, at, f" {facts.option}"),), effects=(allowed,)
    )


def _names(context: ContextFiles, path: str, facts: Accelerator) -> bool:
    words = re.findall(
        r'name\s*=\s*"([\w.-]+)"|^\s*"([\w.-]+)":', context.text(path, 1 << 24), re.MULTILINE
    )
    names = [plain_name(one or other) for one, other in words]
    return any(fnmatchcase(name, glob) for name in names for glob in facts.packages)


def _refusal(situation: Situation, install: Install, lists: list[str], facts: Accelerator) -> str:
    """What shows that the accelerator is wanted, or that the author chose the build; "" when
    nothing does."""
    chosen = re.compile(facts.chosen, re.MULTILINE)
    mark = next(
        (found[0] for text in (*install.arguments, *lists) if (found := chosen.search(text))), None
    )
    if mark is not None:
        return f"`{mark.strip()}` chooses the build of the wheels already"
    base = str(situation.stage.root.base)
    if re.search(r"cuda|nvidia|rocm", base):
        return f"{base} is a base for a graphics processor"
    context = situation.project.context
    for path in context.sizes:
        asks = path.endswith(tuple(facts.asked_in)) and re.search(
            facts.asked, context.text(path), re.IGNORECASE
        )
        if asks:
            return f"{path} asks for a graphics processor"
        if path.endswith(".py") and re.search(facts.used, context.text(path)):
            return f"{path} cannot do without a graphics processor"
    return ""


BEFORE = "FROM python:3.11\nCOPY requirements.txt .\nRUN pip install -r requirements.txt\n"
AFTER = BEFORE.replace("install", "install --extra-index-url https://download.pytorch.org/whl/cpu")

STRATEGY = Strategy(
    name="cpu-wheels",
    does="Takes torch without CUDA.",
    why=(
        "The wheels of torch on PyPI bring CUDA: 3 GB to pull, 5 GB on disk. A service that runs"
        " without a graphics processor uses none of it. The same versions without CUDA come from"
        " torch's own index. It is a suggestion: only you know where the image runs."
    ),
    safety="suggestion",
    doubt=88,
    references=("https://pytorch.org/get-started/locally/",),
    rewrite=rewrite,
    examples=(
        Example(
            "a device that is asked for",
            BEFORE,
            refused="compose.yml asks",
            files={
                "requirements.txt": "torch\n",
                "compose.yml": (
                    "deploy: {resources: {reservations: {devices: [{driver: nvidia}]}}}\n"
                ),
            },
        ),
        Example(
            "a source that names the device",
            BEFORE,
            refused="main.py cannot do without",
            files={"requirements.txt": "torch\n", "main.py": "model.to('cuda')\n"},
        ),
        Example(
            "a build that the author chose",
            BEFORE,
            refused="chooses the build",
            files={"requirements.txt": "torch==2.3.0+cu121\n"},
        ),
        Example("nothing that brings it", BEFORE, files={"requirements.txt": "flask\n"}),
        Example(
            "a lock file that names the wheels",
            "FROM python:3.11\nCOPY . .\nRUN poetry install\n",
            refused="poetry.lock names",
            files={
                "pyproject.toml": "",
                "poetry.lock": '[[package]]\nname = "nvidia-cudnn-cu12"\n',
            },
        ),
        Example(
            "torch, by way of another package",
            BEFORE,
            AFTER,
            files={
                "requirements.txt": "fastapi\nsentence-transformers==2.7.0\n",
                "main.py": "device = 'cuda' if torch.cuda.is_available() else 'cpu'\n",
            },
        ),
    ),
    refuses=(
        "A compose or Kubernetes file, a README or a source that asks for a graphics processor; a"
        " version or an index that the author chose; lock files, which have to be made anew."
    ),
)
