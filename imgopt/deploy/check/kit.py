"""The conformance kit of a rule: what it says of itself, and its examples, of which each is a file
that is read, with an image that is made here."""

from __future__ import annotations

from pathlib import Path

from imgopt.deploy.check.examples import marked
from imgopt.deploy.check.inputs import read_inputs
from imgopt.deploy.check.opened import Opened
from imgopt.deploy.check.rule import Case, Found, Rule
from imgopt.deploy.check.situation import Situation
from imgopt.image import Memory, open_image
from imgopt.image.recipe import write_image
from imgopt.inspect.image_view import ImageView


def check_rule(rule: Rule, folder: Path) -> None:
    """All of it. Raises AssertionError with what does not hold."""
    assert rule.title and rule.why.endswith("."), rule.id
    assert rule.reference.startswith(("https://", "docs/")), rule.id
    assert rule.good and rule.bad, f"{rule.id}: examples of both kinds"
    for number, case in enumerate((*rule.good, *rule.bad)):
        own = folder / f"{rule.id}-{number}"
        own.mkdir()
        found = look(rule, case, own)
        lines = [one.node.line for one in found]
        if case in rule.good:
            assert not found, f"{rule.id}, {case.name}: {found[0].message} {found[0].evidence}"
            continue
        assert lines, f"{rule.id}, {case.name}: nothing was found"
        assert marked(case) in lines, f"{rule.id}, {case.name}: line {lines}, not {marked(case)}"
        assert all(one.message and one.evidence and one.fix and one.about for one in found), case


def look(rule: Rule, case: Case, folder: Path) -> list[Found]:
    """What the rule finds in an example."""
    named = "compose.yaml" if case.text.startswith("services:") else "web.yaml"
    (folder / named).write_text(case.text)
    inputs = read_inputs([folder / named])
    assert not inputs.not_checked or not any(one.bad for one in inputs.not_checked), inputs
    known = _known(case, folder)
    return [
        found
        for part in inputs.parts
        for found in rule.look(Situation(part.objects, known.views, known.facts, inputs.texts))
    ]


def _known(case: Case, folder: Path) -> Opened:
    """The example's image and facts, for every image that it names shop:1.4."""
    made = Opened()
    if case.image is not None:
        layers = (("COPY . .", case.image.files or {"/etc/os-release": "ID=scratch\n"}),)
        path = write_image(folder / "image.tar", layers, case.image.config)
        made.views["shop:1.4"] = ImageView(open_image(str(path), memory=Memory(None)))
    if case.facts is not None:
        made.facts["shop:1.4"] = case.facts
    return made
