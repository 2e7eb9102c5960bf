"""The base of an image alone: where its history tells it, and where it would be a guess."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from recipes import File

from imgopt.image import Image, open_image
from imgopt.image.recipe import Files, write_image
from imgopt.inspect.files.application_files import application_files
from imgopt.inspect.system.base_in_history import base_layers_of
from imgopt.proof.prove import view_alone

SYSTEM: Files = {"etc/os-release": "ID=debian\n", "bin/sh": File("x", 0o755)}
PYTHON: Files = {"usr/local/bin/python3": File("x", 0o755), "usr/local/lib/a.py": "a"}
APP: Files = {"app/main.py": "import os"}
Steps = tuple[tuple[str, Files | None], ...]
"""Bottom up; None for a step without a layer."""

BASE: Steps = (
    ("ADD rootfs.tar.xz / # buildkit", SYSTEM),
    ('CMD ["bash"]', None),
    ("RUN /bin/sh -c make install", PYTHON),
    ('CMD ["python3"]', None),
)
FOUND: Mapping[str, tuple[Steps, int]] = {
    "a base, and the author's own command": (
        (*BASE, ("COPY . . # buildkit", APP), ('CMD ["python3" "main.py"]', None)), 2),
    "an entrypoint in front of the files": (
        (*BASE, ('ENTRYPOINT ["tini" "--"]', None), ("COPY . .", APP), ('CMD ["python3"]', None)), 2),
    "a command in front of the files": (
        (*BASE, ('CMD ["python3" "main.py"]', None), ("COPY . .", APP)), 2),
    "the base's own command stays": ((*BASE, ("COPY . .", APP)), 1),
    "as the old builder writes it": (
        (("/bin/sh -c #(nop) ADD file:1 in / ", SYSTEM), ('/bin/sh -c #(nop)  CMD ["bash"]', None),
         ("/bin/sh -c #(nop) COPY dir:1 in /app ", APP), ('/bin/sh -c #(nop)  CMD ["./a"]', None)), 1),
    "two stages of one file, the lower one with a command for work": (
        (*BASE, ("COPY . .", APP), ('CMD ["npm" "run" "dev"]', None), ("RUN build", {"app/b": "x"}),
         ('CMD ["node" "b"]', None)), 2),
    "a lower stage that fetches the source itself": (
        (*BASE, ("RUN git clone x /app", APP), ('CMD ["dev"]', None), ("RUN build", {"app/b": "x"}),
         ('CMD ["node" "b"]', None)), 2),
}  # fmt: skip


def image(tmp_path: Path, steps: Steps, **config: Any) -> Image:
    layers = tuple((step, files) for step, files in steps if files is not None)
    made = [{"created_by": step, "empty_layer": files is None} for step, files in steps]
    archive = write_image(tmp_path / "image.tar", layers, {"Cmd": ["x"], **config}, made)
    return open_image(str(archive))


@pytest.mark.parametrize(("steps", "layers"), FOUND.values(), ids=FOUND)
def test_a_base_ends_with_the_last_command_that_is_not_in_force(
    steps: Steps, layers: int, tmp_path: Path
) -> None:
    assert base_layers_of(image(tmp_path, steps)) == layers


def test_an_entrypoint_takes_back_the_bases_command(tmp_path: Path) -> None:
    steps: Steps = (*BASE, ("COPY . .", APP), ('ENTRYPOINT ["./run"]', None))
    assert base_layers_of(image(tmp_path, steps, Cmd=None)) == 2


UNKNOWN: Mapping[str, Steps] = {
    "no history": (("", {**SYSTEM, **PYTHON, **APP}),),
    "one command, which may be the author's": (
        ("ADD rootfs /", SYSTEM), ("RUN make install", PYTHON), ("COPY . .", APP), ('CMD ["a"]', None)),
    "a system without a command": (
        ("ADD rootfs /", SYSTEM), ("RUN make", PYTHON), ("COPY . .", APP)),
}  # fmt: skip


@pytest.mark.parametrize("steps", UNKNOWN.values(), ids=UNKNOWN)
def test_where_it_is_not_known_the_systems_folders_are_nobodys(
    steps: Steps, tmp_path: Path
) -> None:
    given = image(tmp_path, steps, WorkingDir="/app")
    assert base_layers_of(given) is None
    view = view_alone(given)
    assert not view.base_known
    assert [node.path for node in application_files(view)] == ["/app/main.py"]


def test_what_is_copied_over_a_known_base_is_the_authors_wherever_it_lies(
    tmp_path: Path,
) -> None:
    more: Files = {**APP, "usr/local/bin/tool": "x", "etc/app.conf": "y"}
    view = view_alone(image(tmp_path, (*BASE, ("COPY . /", more), ('CMD ["a"]', None))))
    assert view.base_known
    assert {node.path for node in application_files(view)} == {f"/{path}" for path in more}
