"""Modules of Python that no import names: a handler of a logging configuration, a module that is
started, an application in a list."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from recipes import Files, Recipe

from imgopt.inspect.image_view import ImageView
from imgopt.inspect.sources.python_imports import named_modules
from imgopt.inspect.sources.texts import written_texts
from imgopt.proof.derive import derive

SITE = "usr/local/lib/python3.11/site-packages"
BLACK: Files = {
    f"{SITE}/black/__init__.py": "",
    f"{SITE}/black-24.1.dist-info/METADATA": "Name: black\nVersion: 24.1\n",
    f"{SITE}/black-24.1.dist-info/RECORD": "black/__init__.py,,\nblack-24.1.dist-info/METADATA,,\n",
}


def view_with(view_of: Callable[..., ImageView], **files: str) -> ImageView:
    app = {f"app/{name.replace('__', '.')}": text for name, text in files.items()}
    layers = (("ADD", {"bin/x": "x"}), ("RUN pip install black", BLACK), ("COPY . /app", app))
    return view_of(Recipe(layers, {"WorkingDir": "/app", "Cmd": ["python", "main.py"]}), 1)


@pytest.mark.parametrize(
    ("files", "said", "surely"),
    [
        ({"main__py": "# 'black' is no colour\nx = blacks\n"}, True, False),
        ({"main__py": "say('no black here', 'x.black')\n"}, False, False),
        ({"main__py": "colour = 'black'\n"}, True, False),
        ({"main__py": "load('black.handlers:One')\n"}, True, True),
        ({"main__py": "run([sys.executable, '-m', 'black', path])\n"}, True, True),
        ({"log__json": '{"class": "black.handlers.One"}'}, True, True),
        ({"log__yaml": "class: black.handlers.One\n"}, True, True),
        ({"log__ini": "[handler]\nclass=black.handlers.One\n"}, True, True),
        ({"pyproject__toml": '[tool.x]\nplugins = ["black.one"]\n'}, False, False),
    ],
)
def test_modules_that_stand_as_a_string(
    view_of: Callable[..., ImageView], files: dict[str, str], said: bool, surely: bool
) -> None:
    view = view_with(view_of, **files)
    assert ("black" in named_modules(view, surely=False)) == said
    assert ("black" in named_modules(view, surely=True)) == surely
    dropped = {package.name for package in derive(view, view, frozenset()).packages}
    assert ("black" not in dropped) == surely


def test_what_tools_made_of_many_sources_is_not_looked_through(
    view_of: Callable[..., ImageView],
) -> None:
    bundle, source = "a(b);" * 20_000, "a(b)\n" * 20_000
    view = view_with(view_of, bundle__js=bundle, source__js=source, small__js="a(b);")
    assert [path for path, _ in written_texts(view)] == ["/app/small.js", "/app/source.js"]
