"""slim-base: the final stage on the slim image of the same distribution, release and language
version."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from imgopt.image.image import Image
from imgopt.image.recipe import DEBIAN
from imgopt.rewrite.bases import NOT_HAD, family, is_slim, read_base_name, slim_candidates
from imgopt.rewrite.effects import OtherBase
from imgopt.rewrite.evidence import read_release
from imgopt.rewrite.final.base_swap import lines_behind, swap_edits, swap_refusal
from imgopt.rewrite.final.carving import Carving, carve_on
from imgopt.rewrite.final.final_stage import FinalStage
from imgopt.rewrite.final.on_base import on_base, without_entry_script
from imgopt.rewrite.image_examples import PYTHON_TEXT, SOURCE, WORKDIR, python_example
from imgopt.rewrite.strategy import Change, Situation, Skip, Strategy


def rewrite(situation: Situation) -> Iterator[Change | Skip]:
    """Tries the slim bases of the family in order; the first one that can be had and fits is taken.
    Without a carved stage it is put under the author's own lines."""
    evidence, final = situation.evidence, situation.final
    if evidence is None:
        yield Skip("needs `imgopt optimize`")
        return
    if final is not None and final.server:
        return
    line = situation.stage.root.line
    base = str(situation.stage.root.base)
    refusal = _refusal(situation, base)
    if refusal:
        yield Skip(refusal, line)
        return
    candidates = slim_candidates(
        base,
        situation.project.ecosystems,
        evidence.os_release,
        evidence.config.environment,
        evidence.installed,
    )
    if not candidates:
        yield Skip(f"no slim base is known for {base}", line)
    missing = []
    for name in candidates:
        image = evidence.look_into(name) if evidence.look_into else None
        if image is None:
            missing.append(Skip(f"{name} {NOT_HAD}", line))
            continue
        found = _on(situation, base, name, image)
        yield found if isinstance(found, Change) else Skip(found, line)
        if isinstance(found, Change):
            return
    yield from missing


def _refusal(situation: Situation, base: str) -> str:
    if not base or situation.stage.root.is_scratch:
        return "it is built on no image" if base else "what FROM names is not known here"
    if is_slim(base, situation.project.ecosystems):
        return f"{base} is a slim base already"
    return swap_refusal(situation) if situation.final is None else ""


def _on(situation: Situation, base: str, name: str, image: Image) -> Change | str:
    """The stage on one slim base; else why it does not fit."""
    refusal = _other_distribution(situation, image) or misfit(situation, image)
    if refusal:
        return f"{name}: {refusal}"
    final = situation.final
    if final is not None:
        final, situation = _for_base(situation, final, image)
    carving = carve_on(situation, image, packages=True)
    if carving.missing:
        path, why = next(iter(carving.missing.items()))
        return f"{name} lacks {path} ({why}), which no package gives"
    ecosystems, line = situation.project.ecosystems, situation.stage.root.line
    same = family(read_base_name(name), ecosystems) == family(read_base_name(base), ecosystems)
    if final is not None:
        new = on_base(situation, final, carving, name, image, same_family=same)
        return Change(_because(base, name, carving.packages), line, final=new)
    return _swapped(situation, carving, name, image, same_family=same)


def _other_distribution(situation: Situation, image: Image) -> str:
    """What is copied was linked against the libraries of the original's."""
    evidence = situation.evidence
    old = evidence.os_release.get("ID", "") if evidence is not None else ""
    new = read_release(image.tree()).get("ID", "")
    return f"it is {new}, and the original is {old}" if old and new and old != new else ""


def _swapped(
    situation: Situation, carving: Carving, name: str, image: Image, *, same_family: bool
) -> Change | str:
    base = str(situation.stage.root.base)
    pinned = _pinned(situation, base, name)
    edits = swap_edits(situation, pinned)
    if isinstance(edits, str):
        return edits
    extra = lines_behind(situation, carving, image, same_family=same_family)
    because = f"{_because(base, name, carving.packages)}; one stage stays one stage"
    if "@" in base and "@" not in pinned:
        because += f"; {base} was pinned: pin {name} by its digest too"
    return Change(because, situation.stage.root.line, (*edits, *extra), effects=(OtherBase(name),))


def _pinned(situation: Situation, base: str, name: str) -> str:
    """The name with its digest, where the author pinned the old one and a registry says it."""
    ask = situation.project.digest
    digest = ask(name) if "@" in base and ask is not None else None
    return f"{name}@{digest}" if digest else name


def _for_base(
    situation: Situation, final: FinalStage, image: Image
) -> tuple[FinalStage, Situation]:
    """Leaves the old entry script behind where the new base lacks it and the service does not need
    it."""
    lean = without_entry_script(situation, final)
    if lean.entry_script and image.tree().resolve(lean.entry_script) is None:
        return lean, replace(situation, final=lean)
    return final, situation


def misfit(situation: Situation, image: Image) -> str:
    """Why a base of that name is another distribution or release than the original; empty when it
    fits."""
    evidence = situation.evidence
    assert evidence is not None
    theirs = _release(image)
    ours = (evidence.os_release.get("ID", ""), evidence.os_release.get("VERSION_ID", ""))
    if theirs[0] and theirs != ours and evidence_is_bound(situation):
        return f"it is {' '.join(theirs)}, the original is {' '.join(ours)}"
    return ""


def evidence_is_bound(situation: Situation) -> bool:
    """Whether what is kept was linked against the original's system libraries; asked only where a
    base differs."""
    carving = carve_on(situation, None, packages=True)
    return carving.needs.dynamic or bool(carving.needs.sonames)


def _release(image: Image) -> tuple[str, str]:
    found = read_release(image.tree())
    return found.get("ID", ""), found.get("VERSION_ID", "")


def _because(base: str, name: str, packages: dict[str, str]) -> str:
    extra = f", with {', '.join(sorted(packages))} from the system's packages" if packages else ""
    return f"{name} holds what a run needs of {base}{extra}"


STRATEGY = Strategy(
    name="slim-base",
    does="Moves to the slim base of the same distribution.",
    why=(
        "A full base image carries compilers, headers and tools for any build. The slim image of"
        " the same family has the same interpreter on the same release of the distribution; what is"
        " kept needs a few system packages at most, found by following shared libraries,"
        " interpreters and opened files."
    ),
    safety="evidence",
    variants=("slim",),
    makes=("slim",),
    doubt=40,
    references=(
        "https://hub.docker.com/_/python (image variants)",
        "https://hub.docker.com/_/debian (slim variants)",
    ),
    rewrite=rewrite,
    refuses=(
        "Another distribution or release; a needed file that no package gives; a base that cannot"
        " be had; without a carved stage, a base that other stages stand on too, or that a build"
        " argument names."
    ),
    evidence_examples=(
        python_example(
            "none can be had",
            before=PYTHON_TEXT,
            layers=(WORKDIR, SOURCE),
            refused="cannot be had here",
        ),
        python_example(
            "another distribution",
            before=PYTHON_TEXT,
            layers=(WORKDIR, SOURCE),
            refused="it is alpine, and the original is debian",
            bases={
                "python:3.11-slim": {**DEBIAN, "/etc/os-release": "ID=alpine\nVERSION_ID=3.20\n"}
            },
        ),
        python_example(
            "the same distribution",
            before=PYTHON_TEXT,
            layers=(WORKDIR, SOURCE),
            bases={"python:3.11-slim-bookworm": DEBIAN},
            after=PYTHON_TEXT.replace("python:3.11", "python:3.11-slim-bookworm"),
        ),
        python_example(
            "a package that the service uses",
            before=PYTHON_TEXT,
            layers=(WORKDIR, SOURCE),
            bases={"python:3.11-slim-bookworm": DEBIAN},
            opened=frozenset(["/app/app.py", "/usr/bin/gcc"]),
            after=(
                "FROM python:3.11-slim-bookworm\nRUN apt-get update"
                " && apt-get install -y --no-install-recommends gcc"
                " && rm -rf /var/lib/apt/lists/*\n"
                'WORKDIR /app\nCOPY . .\nCMD ["python", "app.py"]\n'
            ),
        ),
    ),
)
