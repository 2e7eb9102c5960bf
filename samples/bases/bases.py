"""Base images for the samples: the public ones where they can be pulled, else local stand-ins built from packages.

Every folder beside this file is one recipe: a Dockerfile whose comments `# gives NAME...` (or `# gives NAME... from
stage STAGE`) say which public names it stands in for; `# suite NAME` says of which Debian release its root is. A stand-
in is called `imgopt.local/NAME`, is labelled with the hash of its recipe and of the recipes below it, and is built
again only when that hash changes. The result is a `[bases]` table in TOML, public name = local name, for IMGOPT_BASES
or imgopt.toml; it is empty where the public images are used.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

HERE = Path(__file__).resolve().parent
TABLE = HERE.parent.parent / "build" / "bases.toml"
LOCAL = "imgopt.local/"
LABEL = "imgopt.recipe"
PROBE = "hello-world:latest"  # a public image of 13 kB
PROBE_SECONDS = 30
BUNDLE = Path("/etc/ssl/certs/ca-certificates.crt")
EXTRA_AUTHORITIES = Path("/usr/local/share/ca-certificates")
SUITE = "bookworm"

# What the engine tests need, in the order in which they are wanted: of each run time the oldest and the newest.
USUAL = ("python-3.11", "distroless", "node-20", "golang-1.22", "distroless-nodejs20", "nginx")
USUAL += ("node-24", "node-26", "golang-1.26", "postgres-15", "redis-7")

GIVES = re.compile(r"^# gives (?P<names>\S+(?: \S+)*?)(?: from stage (?P<stage>\S+))?$", re.MULTILINE)
OF_SUITE = re.compile(r"^# suite (\w+)$", re.MULTILINE)
USES = re.compile(re.escape(LOCAL) + r"([\w./:-]+)")


class Failure(Exception):
    """What could not be done, in words for the user; the exit code is 3."""


@dataclass(frozen=True)
class Recipe:
    """One folder with a Dockerfile."""

    folder: Path

    @property
    def name(self) -> str:
        return self.folder.name

    @cached_property
    def text(self) -> str:
        return (self.folder / "Dockerfile").read_text()

    @cached_property
    def stages(self) -> dict[str, tuple[str, ...]]:
        """The public names by the stage that gives them; `""` is the last stage."""
        return {m["stage"] or "": tuple(m["names"].split()) for m in GIVES.finditer(self.text)}

    @property
    def suite(self) -> str:
        """The Debian release that its root is made of, where it builds on no other recipe."""
        found = OF_SUITE.search(self.text)
        return found[1] if found else SUITE

    @property
    def table(self) -> dict[str, str]:
        """Public name -> local image; the first name of a stage names the image."""
        return {name: LOCAL + names[0] for names in self.stages.values() for name in names}

    @cached_property
    def below(self) -> frozenset[str]:
        """The local images that this recipe builds on."""
        return frozenset(USES.findall(self.text))


class Kitchen:
    """All recipes, and which image comes from which of them."""

    def __init__(self, folder: Path = HERE) -> None:
        self.recipes = {path.parent.name: Recipe(path.parent) for path in sorted(folder.glob("*/Dockerfile"))}
        self._by_image = {n: r for r in self.recipes.values() for names in r.stages.values() for n in names}

    def named(self, name: str) -> Recipe:
        """The recipe of a folder name or of a public image name."""
        recipe = self.recipes.get(name) or self._by_image.get(name)
        if recipe is None:
            raise Failure(f"no recipe gives {name}; there are: {', '.join(sorted(self._by_image))}")
        return recipe

    def in_order(self, wanted: Iterable[Recipe]) -> list[Recipe]:
        """The wanted recipes and all below them, each after what it builds on."""
        done: dict[str, Recipe] = {}

        def visit(recipe: Recipe) -> None:
            if recipe.name in done:
                return
            for image in sorted(recipe.below):
                visit(self.named(image))
            done[recipe.name] = recipe

        for recipe in wanted:
            visit(recipe)
        return list(done.values())

    def digest(self, recipe: Recipe) -> str:
        """Changes with any byte of the recipe, of those below it and of the host's own certificates."""
        total = hashlib.sha256()
        for path in sorted(p for p in recipe.folder.rglob("*") if p.is_file()):
            total.update(f"{path.relative_to(recipe.folder)}\0{path.stat().st_mode & 0o111}\0".encode())
            total.update(path.read_bytes() + b"\0")
        for image in sorted(recipe.below):
            total.update(self.digest(self.named(image)).encode())
        if not recipe.below:
            for path in (BUNDLE, *sorted(EXTRA_AUTHORITIES.glob("*.crt"))):
                total.update(path.read_bytes() if path.is_file() else b"")
        return total.hexdigest()[:16]


def docker(*arguments: str, seconds: float | None = None) -> subprocess.CompletedProcess[str]:
    """Runs the docker client; output is captured, a timeout is a failure like any other."""
    command = ["docker", *arguments]
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=seconds, check=False)
    except FileNotFoundError:
        raise Failure("there is no docker client on the PATH; `make engine` brings one") from None
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(command, 124, "", f"no answer in {seconds} s")


def public_images_can_be_pulled() -> bool:
    known = docker("image", "inspect", PROBE).returncode == 0
    pulled = docker("pull", "--quiet", PROBE, seconds=PROBE_SECONDS).returncode == 0
    if pulled and not known:
        docker("image", "rm", PROBE)
    return pulled


def recipe_of(image: str) -> str | None:
    """The recipe hash that a local image is labelled with, if the image exists."""
    found = docker("image", "inspect", "--format", "{{json .Config.Labels}}", image)
    labels: dict[str, str] = (json.loads(found.stdout) or {}) if found.returncode == 0 else {}
    return labels.get(LABEL)


def mirror(name: str) -> str:
    """The Debian archive that this host uses, so that a company mirror is used here too."""
    sources = [Path("/etc/apt/sources.list"), *sorted(Path("/etc/apt/sources.list.d").glob("*"))]
    for path in sources:
        text = path.read_text(errors="replace") if path.is_file() else ""
        if found := re.search(rf"https?://\S+/{name}/?(?=\s|$)", text):
            return found[0]
    return f"http://deb.debian.org/{name}"


def apt_sources(suite: str) -> str:
    key = "/usr/share/keyrings/debian-archive-keyring.gpg"
    archives = ((mirror("debian"), f"{suite} {suite}-updates"), (mirror("debian-security"), f"{suite}-security"))
    return "\n".join(
        f"Types: deb\nURIs: {uri}\nSuites: {suites}\nComponents: main\nSigned-By: {key}\n" for uri, suites in archives
    )


def need_mmdebstrap() -> None:
    keyring = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
    if shutil.which("mmdebstrap") and keyring.exists():
        return
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise Failure("the stand-ins start from a Debian root: install mmdebstrap and debian-archive-keyring")
    packages = ["mmdebstrap", "debian-archive-keyring"]
    for arguments in (["update"], ["install", "--no-install-recommends", "-y", *packages]):
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        run = subprocess.run(
            ["apt-get", "-qq", *arguments], env=environment, capture_output=True, text=True, stdin=subprocess.DEVNULL
        )
        if run.returncode:
            raise Failure(f"apt-get could not install mmdebstrap:\n{run.stderr.strip()}")


@contextmanager
def host_context(suite: str) -> Iterator[Path]:
    """What only the host can give: a Debian root made from packages, and the certificates it trusts."""
    need_mmdebstrap()
    with tempfile.TemporaryDirectory(prefix="imgopt-bases-") as temporary:
        folder = Path(temporary)
        for name in ("authorities", "certs"):
            (folder / name).mkdir()
        for path in EXTRA_AUTHORITIES.glob("*.crt"):
            shutil.copy(path, folder / "authorities")
        if BUNDLE.is_file():
            shutil.copy(BUNDLE, folder / "certs")
        sources = folder / "debian.sources"
        sources.write_text(apt_sources(suite))
        hooks = "/usr/share/mmdebstrap/hooks/merged-usr"
        command = ["mmdebstrap", "--quiet", "--variant=minbase", "--include=usr-is-merged", f"--hook-dir={hooks}"]
        # What the official slim image leaves out.
        for kept_out in ("doc", "man", "info", "locale", "groff", "lintian", "linda"):
            command.append(f"--dpkgopt=path-exclude=/usr/share/{kept_out}/*")
        command.append("--dpkgopt=path-include=/usr/share/doc/*/copyright")
        run = subprocess.run(
            [*command, suite, str(folder / "root.tar"), str(sources)], capture_output=True, text=True, check=False
        )
        if run.returncode:
            raise Failure(f"mmdebstrap failed:\n{run.stderr.strip()[-2000:]}")
        yield folder


def build(recipe: Recipe, digest: str, verbose: bool) -> None:
    if recipe.below:
        build_stages(recipe, digest, recipe.folder, verbose)
        return
    with host_context(recipe.suite) as host:
        build_stages(recipe, digest, host, verbose)


def build_patiently(command: list[str]) -> subprocess.CompletedProcess[str]:
    """A registry may fail for a moment; what was built so far is in the engine's cache, so once more costs little."""
    for _ in range(2):
        run = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        if not run.returncode:
            break
    return run


def build_stages(recipe: Recipe, digest: str, context: Path, verbose: bool) -> None:
    for stage, names in recipe.stages.items():
        command = ["docker", "buildx", "build", "--progress=plain", "--provenance=false", "--load"]
        command += ["--label", f"{LABEL}={digest}", "--tag", LOCAL + names[0]]
        command += [*(["--target", stage] if stage else []), "--file", str(recipe.folder / "Dockerfile"), str(context)]
        before = docker("image", "inspect", "--format", "{{.Id}}", LOCAL + names[0]).stdout.strip()
        run = build_patiently(command)
        if verbose:
            sys.stderr.write(run.stdout)
        if run.returncode:
            raise Failure(f"{recipe.name} could not be built:\n" + "\n".join(run.stdout.splitlines()[-40:]))
        if before:  # fails, as it should, where a container still uses the old one
            docker("image", "rm", before)


def write_table(table: dict[str, str], path: Path) -> None:
    lines = ["# Written by samples/bases/bases.py: public base image = the local one that stands in for it."]
    lines += ["[bases]", *(f'"{public}" = "{local}"' for public, local in sorted(table.items()))]
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".new")
    unfinished.write_text("\n".join(lines) + "\n")
    unfinished.replace(path)


def say(text: str) -> None:
    print(f"bases: {text}", file=sys.stderr, flush=True)


def make(kitchen: Kitchen, wanted: list[Recipe], verbose: bool) -> None:
    for recipe in kitchen.in_order(wanted):
        digest, began = kitchen.digest(recipe), time.monotonic()
        if all(recipe_of(LOCAL + names[0]) == digest for names in recipe.stages.values()):
            continue
        say(f"building {', '.join(names[0] for names in recipe.stages.values())}")
        build(recipe, digest, verbose)
        say(f"  built in {time.monotonic() - began:.0f} s")


def table_of_what_is_there(kitchen: Kitchen) -> dict[str, str]:
    there: dict[str, str] = {}
    for recipe in kitchen.recipes.values():
        digest = kitchen.digest(recipe)
        if all(recipe_of(LOCAL + names[0]) == digest for names in recipe.stages.values()):
            there |= recipe.table
    return there


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"recipes or public names (default: {' '.join(USUAL)})"
    )
    parser.add_argument("--all", action="store_true", help="every recipe")
    parser.add_argument("--local", action="store_true", help="stand-ins even where the public images can be pulled")
    parser.add_argument("--table", type=Path, default=TABLE, help="where the [bases] table is written (%(default)s)")
    parser.add_argument("--verbose", action="store_true", help="show the builds' output")
    arguments = parser.parse_args()
    try:
        kitchen = Kitchen()
        wanted = [kitchen.named(name) for name in (kitchen.recipes if arguments.all else arguments.names or USUAL)]
        if not arguments.local and public_images_can_be_pulled():
            say("this engine can pull public images: the real bases are used")
            write_table({}, arguments.table)
            return 0
        say("this engine cannot pull public images: local stand-ins (imgopt.local/...) are used")
        make(kitchen, wanted, arguments.verbose)
        write_table(table_of_what_is_there(kitchen), arguments.table)
    except Failure as failure:
        say(str(failure))
        return 3
    say(f"ready; table in {arguments.table}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
