"""What the author put into root's home folder for the service to find."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from recipes import File, Files, Recipe

from imgopt.inspect.files.home_files import home_files
from imgopt.inspect.image_view import ImageView

BASE: Files = {
    "etc/passwd": "root:x:0:0:root:/root:/bin/sh\n",
    "root/.bashrc": "x",
    "root/.profile": "x",
}


def found(view_of: Callable[..., ImageView], files: Files, workdir: str = "/app") -> list[str]:
    layers = (("ADD rootfs", BASE), ("RUN /bin/sh -c make", files))
    view = view_of(Recipe(layers, {"WorkingDir": workdir}), 1)
    return sorted(node.path for node in home_files(view, "/root"))


NOT_FOR_IT: dict[str, tuple[Files, str]] = {
    "what the base has": ({}, "/app"),
    "the application itself": ({"root/app/main.py": "x"}, "/root/app"),
    "another user's home": ({"home/app/.netrc": "x"}, "/app"),
    "a folder of that beginning": ({"rootless/.netrc": "x"}, "/app"),
    "a virtual environment": (
        {
            "root/.local/share/virtualenvs/a-x/pyvenv.cfg": "home = /usr/bin",
            "root/.local/share/virtualenvs/a-x/bin/activate": "x",
        },
        "/app",
    ),
    "an empty folder": ({"root/.config": File(folder=True)}, "/app"),
    "a cache of an installer": ({"root/.cache/pip/http-v2/a/b": "x"}, "/app"),
}


@pytest.mark.parametrize("case", NOT_FOR_IT)
def test_what_no_home_is_needed_for(case: str, view_of: Callable[..., ImageView]) -> None:
    assert found(view_of, *NOT_FOR_IT[case]) == []


@pytest.mark.parametrize(
    "path",
    [
        ".gitconfig",
        ".netrc",
        ".pgpass",
        ".my.cnf",
        ".aws/credentials",
        ".ssh/id_ed25519",
        ".kube/config",
        ".config/fetch/settings.json",
        ".cache/huggingface/hub/models--x/blobs/y",
        ".cache/torch/hub/checkpoints/z.pth",
        "nltk_data/corpora/words",
    ],
)
def test_what_a_program_finds_by_way_of_home(path: str, view_of: Callable[..., ImageView]) -> None:
    assert found(view_of, {f"root/{path}": "x"}) == [f"/root/{path}"]
    assert found(view_of, {f"root/{path}": "x"}, "/root") == [f"/root/{path}"]
