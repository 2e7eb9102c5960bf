"""slim-base: the final stage on the slim image of the same distribution, release and language version."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from imgopt.image.image import Image
from imgopt.rewrite.bases import family, is_slim, read_base_name, slim_candidates
from imgopt.rewrite.carving import carve_on
from imgopt.rewrite.evidence import read_release
from imgopt.rewrite.final_stage import FinalStage
from imgopt.rewrite.strategy import Change, Situation, Skip, Strategy
from imgopt.strategies.multi_stage import on_base, without_entry_script


def rewrite(situation: Situation) -> Iterator[Change | Skip]:
    """Tries the slim bases of the family in order; the first one that can be had and fits is taken."""
    evidence, final = situation.evidence, situation.final
    if evidence is None or final is None:
        yield Skip("needs a final stage carved by multi-stage" if evidence else "needs `imgopt optimize`")
        return
    if final.server:
        return
    stage = situation.stage
    base = str(stage.root.base)
    if is_slim(base, situation.project.ecosystems):
        yield Skip(f"{base} is a slim base already", stage.root.line)
        return
    candidates = slim_candidates(base, situation.project.ecosystems, evidence.os_release, evidence.config.environment)
    if not candidates:
        yield Skip(f"no slim base is known for {base}", stage.root.line)
        return
    for name in candidates:
        image = evidence.look_into(name) if evidence.look_into else None
        if image is None:
            yield Skip(f"{name} cannot be had here", stage.root.line)
            continue
        refusal = misfit(situation, image)
        if refusal:
            yield Skip(f"{name}: {refusal}", stage.root.line)
            continue
        final, situation = _for_base(situation, final, image)
        carving = carve_on(situation, image, packages=True)
        if carving.missing:
            path, why = next(iter(carving.missing.items()))
            yield Skip(f"{name} lacks {path} ({why}), which no package gives", stage.root.line)
            continue
        same = family(read_base_name(name), situation.project.ecosystems) == family(
            read_base_name(base), situation.project.ecosystems
        )
        new = on_base(situation, final, carving, name, image, same_family=same)
        yield Change(_because(base, name, carving.packages), stage.root.line, final=new)
        return


def _for_base(situation: Situation, final: FinalStage, image: Image) -> tuple[FinalStage, Situation]:
    """Leaves the old entry script behind where the new base lacks it and the service does not need it."""
    lean = without_entry_script(situation, final)
    if lean.entry_script and image.tree().resolve(lean.entry_script) is None:
        return lean, replace(situation, final=lean)
    return final, situation


def misfit(situation: Situation, image: Image) -> str:
    """Why a base of that name is another distribution or release than the original; empty when it fits."""
    evidence = situation.evidence
    assert evidence is not None
    theirs = _release(image)
    ours = (evidence.os_release.get("ID", ""), evidence.os_release.get("VERSION_ID", ""))
    if theirs[0] and theirs != ours and evidence_is_bound(situation):
        return f"it is {' '.join(theirs)}, the original is {' '.join(ours)}"
    return ""


def evidence_is_bound(situation: Situation) -> bool:
    """Whether what is kept was linked against the original's system libraries; asked only where a base differs."""
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
    why="A full base image carries compilers, headers and tools for any build. The slim image of the same family has "
    "the same interpreter on the same release of the distribution; what is kept needs a few system packages at most, "
    "found by following shared libraries, interpreters and opened files.",
    safety="evidence",
    references=(
        "https://hub.docker.com/_/python (image variants)",
        "https://hub.docker.com/_/debian (slim variants)",
    ),
    rewrite=rewrite,
    refuses="Another distribution or release; a needed file that no package gives; a base that cannot be had.",
)
