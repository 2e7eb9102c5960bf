"""bare-base: a run time copied onto the bare distribution, in the place of its image with all else
that holds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from imgopt.rewrite.bases import bare_candidates
from imgopt.rewrite.evidence import Evidence, read_release
from imgopt.rewrite.final.carving import carve_on
from imgopt.rewrite.final.interpreter import find_interpreter
from imgopt.rewrite.final.on_base import on_base, without_entry_script
from imgopt.rewrite.final.smaller_runtime import draws, smaller_runtime
from imgopt.rewrite.strategy import Change, Example, Situation, Skip, Strategy

LOCALES = "/usr/lib/locale/locale-archive"


def rewrite(situation: Situation) -> Iterator[Change | Skip]:
    """Only for languages whose facts name bare distributions, and whose slim image has the run
    time's tree."""
    evidence, final = situation.evidence, situation.final
    if evidence is None or final is None or final.server:
        return
    interpreter = find_interpreter(evidence, situation.project.ecosystems)
    runtime = smaller_runtime(situation, interpreter) if interpreter is not None else None
    if interpreter is None or runtime is None or final.base != runtime.image:
        return
    line = situation.stage.root.line
    for name in bare_candidates(interpreter, evidence.os_release):
        image = evidence.look_into(name) if evidence.look_into else None
        if image is None or read_release(image.tree()).get("VERSION_ID") != evidence.os_release.get(
            "VERSION_ID"
        ):
            yield Skip(f"{name} of the original's release cannot be had here", line)
            continue
        lean = without_entry_script(situation, final)
        inside = replace(situation, final=lean)
        carving = carve_on(inside, image, packages=True, runtime=runtime)
        copied = {path: why for path, why in carving.missing.items() if path == LOCALES}
        if _wants_locales(evidence) and image.tree().resolve(LOCALES) is None:
            copied.setdefault(LOCALES, "the language that the image sets")
        drawer = draws(evidence, carving.carved, interpreter)
        lacking = next(iter(carving.missing.keys() - copied.keys()), "")
        if drawer or lacking:
            why = (
                f"{drawer} may draw with the fonts of {runtime.image}"
                if drawer
                else f"{name} lacks {lacking}"
            )
            yield Skip(why, line)
            return
        whole = replace(carving, missing={}, libraries={**carving.libraries, **copied})
        new = on_base(inside, lean, whole, name, image, same_family=False)
        because = (
            f"{name} with {runtime.tree} of {runtime.image}: nothing else that image holds is"
            " needed"
        )
        yield Change(because, line, final=new)
        return


def _wants_locales(evidence: Evidence) -> bool:
    """The image sets a language of its own, and has the locales for it."""
    said = {evidence.config.environment.get(name, "") for name in ("LANG", "LC_ALL")}
    return bool(said - {"", "C", "POSIX", "C.UTF-8"}) and evidence.tree.resolve(LOCALES) is not None


STRATEGY = Strategy(
    name="bare-base",
    does="Puts the Java run time alone on a bare distribution.",
    why=(
        "The image of a Java run time brings curl, gnupg, fonts and locales, a third of its bytes."
        " The run time is one folder, made to be copied: on the bare distribution of the same"
        " release it runs with the libraries that it needs."
    ),
    safety="evidence",
    variants=("slim",),
    makes=("slim",),
    doubt=95,
    references=("https://hub.docker.com/_/eclipse-temurin (using a different base image)",),
    rewrite=rewrite,
    refuses=(
        "An application that may draw text, for which the run time's image has fonts; another"
        " release of the distribution; a needed file that no package gives."
    ),
    examples=(
        Example(
            "without a carved stage there is none to move",
            before="FROM maven:3\nRUN mvn package\n",
            after=None,
        ),
    ),
)
