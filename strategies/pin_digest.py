"""pin-digest: every base image by the digest of its content, beside its tag."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from imgopt.dockerfile import Edit, ImageReference
from imgopt.dockerfile.typed import From
from imgopt.errors import InputError
from imgopt.rewrite.strategy import Change, Example, Situation, Skip, Strategy


def rewrite(situation: Situation) -> Iterator[Change | Skip]:
    """Every FROM that the build uses, and the base of the final stage that was carved."""
    for stage in situation.dockerfile.reachable(situation.project.target):
        typed = stage.start.typed
        if stage.parent is not None or stage.is_scratch or not isinstance(typed, From):
            continue
        if typed.reference is None or "$" in typed.image:
            yield Skip(
                f"`{typed.image}` has a variable: who builds says which image it is", stage.line
            )
            continue
        pinned = _pinned(situation, str(typed.image))
        if isinstance(pinned, str):
            yield Skip(pinned, stage.line)
        elif pinned is not None:
            span = typed.image.span
            yield Change(_because(pinned), stage.line, (Edit(span.start, span.end, str(pinned)),))
    yield from _of_final(situation)


def _of_final(situation: Situation) -> Iterator[Change | Skip]:
    final = situation.final
    if final is None or final.base == "scratch":
        return
    pinned = _pinned(situation, final.base)
    if isinstance(pinned, str):
        yield Skip(pinned)
    elif pinned is not None:
        yield Change(_because(pinned), final=replace(final, base=str(pinned)))


def _pinned(situation: Situation, name: str) -> ImageReference | str | None:
    """The reference with its digest; None where it has one; a text says why there is none."""
    try:
        reference = ImageReference.parse(name)
    except InputError:
        return f"{name} is not an image reference"
    if reference.digest:
        return None
    if situation.project.digest is None:
        return "needs `imgopt optimize`: the engine or the registry says the digest"
    digest = situation.project.digest(name)
    if digest is None:
        return (
            f"{name} has no digest of a registry here: it was built on this machine, or another"
            " image stands for it"
        )
    return reference.with_digest(digest)


def _because(pinned: ImageReference) -> str:
    return (
        f"{pinned.with_digest(None)} stays the image that was proven; a new release needs a new"
        " digest"
    )


STRATEGY = Strategy(
    name="pin-digest",
    does="Names base images by their digest.",
    why=(
        "A tag is moved to another image with each release: the same file then builds something"
        " that nobody proved. A digest names the very content. It also stops the security updates"
        " that came by themselves, so it is a suggestion for who has a tool that renews digests."
    ),
    safety="suggestion",
    doubt=5,
    references=("https://docs.docker.com/build/building/best-practices/#pin-base-image-versions",),
    rewrite=rewrite,
    refuses=(
        "A base with a variable in its name; a base that was built on this machine or that another"
        " image stands for: no registry has its digest."
    ),
    examples=(
        Example("a digest is there", before=f"FROM a:1@sha256:{'0' * 64}\nRUN x\n", after=None),
        Example("a variable", before="ARG V=1\nFROM a:$V\n", after=None, refused="has a variable"),
        Example(
            "nobody to ask", before="FROM a:1\n", after=None, refused="needs `imgopt optimize`"
        ),
        Example(
            "another stage", before=f"FROM a@sha256:{'0' * 64} AS b\nFROM b\nRUN x\n", after=None
        ),
        Example("nothing", before="FROM scratch\nCOPY a /\n", after=None),
    ),
)
