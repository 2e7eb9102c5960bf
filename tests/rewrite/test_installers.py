"""Poetry leaves the image with what was installed for it alone; what the project might use
stays."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from recipes import File, Recipe

from imgopt.context.ecosystems import builtin_ecosystems
from imgopt.dockerfile import parse
from imgopt.inspect.image_view import ImageView
from imgopt.proof.derive import derive
from imgopt.rewrite.evidence import Evidence, Seen, SystemPackages
from imgopt.rewrite.final.build_tools import _last_installer, removable_tools
from imgopt.rewrite.strategy import ContextFiles, Project, Situation

SITE = "usr/local/lib/python3.11/site-packages"
DOCKERFILE = (
    "FROM python:3.11\nCOPY . .\nRUN pip install poetry\nRUN poetry install\nCMD python main.py\n"
)


def package(name: str, *needs: str) -> dict[str, str | File]:
    requires = "".join(f"Requires-Dist: {need}\n" for need in needs)
    about = f"{SITE}/{name}-1.dist-info"
    return {
        f"{SITE}/{name}/__init__.py": "x",
        f"{about}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n{requires}",
        f"{about}/RECORD": f"{name}/__init__.py,,\n{name}-1.dist-info/METADATA,,\n",
    }


BASE = {
    **package("pip"),
    "usr/local/bin/pip": File("#!/usr/local/bin/python3.11\n", 0o755),
    "usr/local/bin/python": File("x", 0o755),
}
INSTALLED = {
    **package("poetry", "cleo", "requests"),
    **package("cleo"),
    **package("requests"),
    **package("flask"),
}


@pytest.fixture
def removed(tmp_path: Path, view_of: Callable[..., ImageView]) -> Callable[..., tuple[str, ...]]:
    def find(
        installed: Mapping[str, str | File] = INSTALLED,
        source: str = "",
        lists: str = "",
        opened: str = "",
    ) -> tuple[str, ...]:
        (tmp_path / "pyproject.toml").write_text(lists)
        layers = (
            ("ADD", BASE),
            ("RUN pip install poetry", installed),
            ("COPY", {"app/main.py": source}),
        )
        config = {
            "Env": ["PATH=/usr/local/bin"],
            "Cmd": ["python", "main.py"],
            "WorkingDir": "/app",
        }
        view = view_of(Recipe(layers, config), 1)
        evidence = Evidence(
            view, SystemPackages(), Seen(opened=frozenset([opened or "/app/main.py"]))
        )
        context = ContextFiles(tmp_path, {"pyproject.toml": len(lists)})
        found = removable_tools(
            Situation(Project(context, builtin_ecosystems(), evidence=evidence), parse(DOCKERFILE))
        )
        allowed = {each.name for each in derive(view, view, evidence.opened).packages}
        assert {name for name in found.names if name != "pip"} <= allowed, "the proof knows better"
        return found.names

    return find


def test_an_installer_goes_with_what_only_it_needs(removed: Callable[..., tuple[str, ...]]) -> None:
    assert removed() == ("cleo", "pip", "poetry", "requests")


@pytest.mark.parametrize(
    "why",
    [
        {"source": "def send():\n    import requests\n"},
        {"lists": '[tool.poetry.dependencies]\nRequests = "^2"\n'},
        {"opened": f"/{SITE}/requests/__init__.py"},
        {"installed": {**INSTALLED, **package("shop", 'requests; extra == "web"')}},
    ],
    ids=["imported inside of a function", "listed", "opened", "wanted by an extra"],
)
def test_what_the_project_may_use_stays(
    why: dict[str, object], removed: Callable[..., tuple[str, ...]]
) -> None:
    assert removed(**why) == ("cleo", "pip", "poetry")


@pytest.mark.parametrize(("more", "wanted"), [({}, True), ({f"{SITE}/own.py": "x"}, False)])
def test_many_packages_go_at_once_where_nothing_else_lies_in_their_folder(
    tmp_path: Path, view_of: Callable[..., ImageView], more: Mapping[str, str], wanted: bool
) -> None:
    (tmp_path / "pyproject.toml").write_text("")
    names = [f"tool{number}" for number in range(12)]
    tools = {path: file for name in names for path, file in package(name).items()}
    closed = {
        "env/pyvenv.cfg": "include-system-site-packages = false",
        "env/bin/flask": File("x", 0o755),
    }
    script = {"usr/local/bin/poetry": File("#!/usr/local/bin/python3.11\n", 0o755)}
    poetry = package("poetry", *names)
    poetry[f"{SITE}/poetry-1.dist-info/RECORD"] += "../../../bin/poetry,,\n"  # type: ignore[operator]
    layers = (
        ("ADD", BASE),
        ("RUN pip install poetry", {**tools, **poetry, **script, **more}),
        ("RUN poetry", closed),
    )
    config = {
        "Env": ["PATH=/env/bin:/usr/local/bin"],
        "Cmd": ["flask", "run"],
        "WorkingDir": "/app",
    }
    view = view_of(Recipe(layers, config), 1)
    evidence = Evidence(view, SystemPackages(), Seen(opened=frozenset(["/app/main.py"])))
    context = ContextFiles(tmp_path, {"pyproject.toml": 1})
    found = removable_tools(
        Situation(Project(context, builtin_ecosystems(), evidence=evidence), parse(DOCKERFILE))
    )
    assert {"pip", "poetry", *names} == set(found.names)
    emptied = found.command.startswith(f"rm -rf /{SITE}/* && ")
    assert emptied is wanted, found.command
    assert (" /usr/local/bin/* " in found.command) is wanted
    assert not any(name in found.command for name in names) or not wanted
    assert found.command.startswith("pip uninstall") is not wanted


def test_development_packages_go_from_the_environment_that_the_service_runs_in(
    tmp_path: Path, view_of: Callable[..., ImageView]
) -> None:
    (tmp_path / "pyproject.toml").write_text(
        "[tool.poetry.group.dev.dependencies]\nblack = '*'\nfaker = '*'\n"
    )
    inside = {
        path.replace("usr/local", "env"): file
        for name in ("black", "faker", "flask")
        for path, file in package(name).items()
    }
    environment = {
        **inside,
        "env/pyvenv.cfg": "include-system-site-packages = false",
        "env/bin/flask": File("x", 0o755),
    }
    layers = (
        ("ADD", BASE),
        ("RUN poetry install", environment),
        ("COPY", {"app/main.py": "def f():\n    import faker"}),
    )
    config = {
        "Env": ["PATH=/env/bin:/usr/local/bin"],
        "Cmd": ["flask", "run"],
        "WorkingDir": "/app",
    }
    view = view_of(Recipe(layers, config), 1)
    evidence = Evidence(view, SystemPackages(), Seen(opened=frozenset(["/app/main.py"])))
    context = ContextFiles(tmp_path, {"pyproject.toml": 1})
    found = removable_tools(
        Situation(Project(context, builtin_ecosystems(), evidence=evidence), parse(DOCKERFILE))
    )
    assert (
        found.command
        == "pip --python /env/bin/python uninstall --yes black && pip uninstall --yes pip"
    )


def test_a_development_package_goes_whole_where_only_an_extra_names_it(
    removed: Callable[..., tuple[str, ...]],
) -> None:
    installed = {
        **package("flask", 'pytest; extra == "test"'),
        **package("pytest", "pluggy"),
        **package("pluggy"),
    }
    lists = "[dependency-groups]\ndev = ['pytest']\n"
    assert removed(installed, lists=lists) == ("pip", "pluggy", "pytest")
    bound = {**installed, **package("flask", "pytest")}
    assert removed(bound, lists=lists) == ("pip",)


def test_a_look_through_what_all_packages_say_of_themselves_is_no_use(
    removed: Callable[..., tuple[str, ...]], view_of: Callable[..., ImageView]
) -> None:
    about = f"/{SITE}/pip-1.dist-info/METADATA"
    assert "pip" in removed(opened=about)
    view = view_of(Recipe((("ADD", BASE),), {}))
    assert derive(view, view, frozenset([about])).drop_reason(about, opened=True)
    both = frozenset([about, f"/{SITE}/pip/__init__.py"])
    assert not derive(view, view, both).drop_reason(about, opened=True)


def test_an_installer_that_the_run_opened_stays(removed: Callable[..., tuple[str, ...]]) -> None:
    assert removed(opened=f"/{SITE}/poetry/__init__.py") == ("pip",)


@pytest.mark.parametrize(
    ("steps", "line"),
    [
        ("RUN chmod +x a.sh", 3),
        ("RUN poetry run pytest", 5),
        ("RUN make test", 5),
        ("RUN $COMMAND", 5),
    ],
)
def test_they_stay_for_the_last_step_that_may_use_them(steps: str, line: int) -> None:
    dockerfile = parse(
        f"FROM python:3.11\nCOPY . .\nRUN pip install -r x\nCOPY b b\n{steps}\nCMD a\n"
    )
    found = _last_installer(
        Situation(Project(ContextFiles(Path(), {}), builtin_ecosystems()), dockerfile), "python"
    )
    assert found is not None
    assert found.line == line


UPGRADED = {
    f"{SITE}/.wh.pip-1.dist-info": "",
    **{path.replace("pip-1", "pip-2"): file for path, file in package("pip").items()},
}
RENEWED = {
    "nothing uses it": ({}, "", "", ("pip",)),
    "a package needs it": (package("server", "pip"), "", "", ()),
    "the source imports it": ({}, "def up():\n    import pip\n", "", ()),
    "the run opened it": ({}, "", f"/{SITE}/pip/__init__.py", ()),
}


@pytest.mark.parametrize(("more", "source", "opened", "names"), RENEWED.values(), ids=RENEWED)
def test_an_installer_that_was_brought_up_to_date_is_still_one(
    removed: Callable[..., tuple[str, ...]],
    more: Mapping[str, str | File], source: str, opened: str, names: tuple[str, ...],
) -> None:  # fmt: skip
    installed = {**UPGRADED, **package("flask"), **more}
    assert removed(installed, source=source, opened=opened) == names
