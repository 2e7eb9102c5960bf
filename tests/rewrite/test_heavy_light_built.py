"""heavy-light by real builds: the real installer, wheels of our own, no network."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from imgopt.context.ecosystems import builtin_ecosystems
from imgopt.engine import BuildRequest, Session
from imgopt.image import Image, open_image
from imgopt.rewrite.plan import make_plan
from imgopt.rewrite.strategy import ContextFiles, Project
from imgopt.strategies.heavy_light import STRATEGY

NEEDS = {
    "numpy": "",
    "flask": "Requires-Dist: click",
    "click": "",
    "pandas": "Requires-Dist: numpy",
}
TEXT = """FROM python:3.11-slim
ENV PIP_INDEX_URL=file:///wheels PIP_DISABLE_PIP_VERSION_CHECK=1
COPY wheels /wheels
COPY requirements.txt .
RUN pip install --no-cache-dir --no-compile -r requirements.txt
CMD ["python", "-c", "import numpy, flask"]
"""


def wheel(folder: Path, name: str, version: str) -> None:
    """A package of one module in a simple index of files."""
    place = folder / name
    place.mkdir(parents=True, exist_ok=True)
    about = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(place / f"{name}-{version}-py3-none-any.whl", "w") as archive:
        archive.writestr(f"{name}.py", f"version = {version!r}\n")
        head = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{NEEDS[name]}"
        archive.writestr(f"{about}/METADATA", head.rstrip() + "\n")
        archive.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr(f"{about}/RECORD", "")
    links = "".join(f'<a href="{one.name}">{one.name}</a>\n' for one in sorted(place.glob("*.whl")))
    (place / "index.html").write_text(links)


def installed(image: Image) -> dict[str, str]:
    """Every file of the packages, but for what an installer writes of itself."""
    return {
        node.path: node.digest or ""
        for node in image.tree().files()
        if "/site-packages/" in node.path and any(name in node.path for name in NEEDS)
    }


@pytest.mark.engine
def test_two_steps_install_what_one_does_and_a_raised_light_package_moves_no_heavy_one(
    session: Session, base: Callable[[str], str], tmp_path: Path
) -> None:
    python = base("python:3.11-slim")
    for name, versions in {
        "numpy": ("1.26.0", "1.27.0"),
        "pandas": ("2.1.0",),
        "flask": ("3.0.0", "3.1.0"),
        "click": ("8.0.0", "8.1.0"),
    }.items():
        for version in versions:
            wheel(tmp_path / "wheels", name, version)
    listed = "flask==3.0.0\nnumpy==1.26.0\npandas==2.1.0\n"
    (tmp_path / "requirements.txt").write_text(listed)
    (tmp_path / "Dockerfile").write_text(TEXT)
    context = ContextFiles.read(tmp_path, tmp_path / "Dockerfile")
    project = Project(context, tuple(builtin_ecosystems()), allow=frozenset({STRATEGY.name}))
    rewritten = make_plan(TEXT, project, (STRATEGY,)).dockerfile

    def built(text: str) -> Image:
        bases = {"python:3.11-slim": python}
        reference = session.build(BuildRequest(tmp_path, dockerfile=text, bases=bases)).reference
        assert reference is not None
        return open_image(reference)

    one, two = built(TEXT), built(rewritten)
    assert installed(one) == installed(two) != {}
    assert len(two.layers) == len(one.layers) + 1
    assert two.tree().get("/tmp/heavy-packages.txt") is None
    (tmp_path / "requirements.txt").write_text(listed.replace("3.0.0", "3.1.0"))
    raised = built(rewritten)
    before = {layer.diff_id: layer for layer in two.layers}
    moved = [layer for layer in raised.layers if layer.diff_id not in before]
    names = {entry.path for layer in moved for entry in layer.entries()}
    assert any(path.endswith("/flask.py") for path in names)
    assert not any("numpy" in path or "pandas" in path for path in names)
