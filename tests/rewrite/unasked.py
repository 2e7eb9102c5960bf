"""Plans over small images that are made here: a fat base, a slim and a bare one, and a service of
which a run saw next to nothing."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from recipes import File, Files, Recipe, elf

from imgopt.context.ecosystems import load_ecosystems
from imgopt.image import Image
from imgopt.inspect.image_view import ImageView
from imgopt.proof.allowances import Allowances
from imgopt.rewrite.evidence import Evidence, Seen
from imgopt.rewrite.gather import gather
from imgopt.rewrite.plan import Plan, make_plan
from imgopt.rewrite.strategy import ContextFiles, Project, Repairs
from imgopt.strategies.variants import choose_variants, strategies_of

ARCH = "usr/lib/x86_64-linux-gnu"
ELF = elf()
SLIM: Files = {
    "etc/os-release": 'ID=debian\nVERSION_ID="12"\nVERSION_CODENAME=bookworm\n',
    "etc/passwd": "root:x:0:0:root:/root:/bin/sh\nmail:x:8:8::/var/mail:/bin/sh\n",
    "etc/group": "root:x:0:\nmail:x:8:\n",
    "bin/sh": ELF,
    "usr/bin/env": ELF,
    "usr/bin/ldd": "#!/bin/bash\n",
    "usr/bin/find": ELF,
    "bin/grep": ELF,
    "usr/bin/perl": ELF,
    "usr/local/bin/python3.11": ELF,
    "usr/local/bin/python3": File(link="python3.11"),
    "usr/local/bin/python": File(link="python3.11"),
    "usr/local/bin/node": ELF,
    "usr/local/lib/python3.11/os.py": "x\n",
    "usr/local/lib/python3.11/tkinter/__init__.py": "import _tkinter\n",
    "usr/local/lib/python3.11/curses/__init__.py": "from _curses import *\n",
    "usr/local/lib/python3.11/lib-dynload/_tkinter.cpython-311-x86_64-linux-gnu.so": elf(
        "libtk8.6.so"
    ),
    "usr/local/lib/python3.11/ensurepip/__init__.py": "x\n",
    "usr/lib/locale/C.utf8/LC_CTYPE": "libc-bin usr/lib/locale/C.utf8/LC_CTYPE\n",
    "usr/lib/locale/C.utf8/LC_TIME": "libc-bin usr/lib/locale/C.utf8/LC_TIME\n",
    "var/lib/dpkg/status": "",
    "tmp": File(folder=True, mode=0o1777),
    "var/spool": File(folder=True),
    "var/log": File(folder=True),
    "srv": File(folder=True),
}
BARE: Files = {
    "etc/os-release": SLIM["etc/os-release"],
    "etc/passwd": "root:x:0:0:root:/root:/sbin/nologin\nnonroot:x:65532:65532::/home/nonroot:/x\n",
    "etc/group": "root:x:0:\nnonroot:x:65532:\n",
    "var/lib/dpkg/status": "",
}
_OWNED = {
    "media-types": ["etc/mime.types"],
    "gcc": ["usr/bin/gcc"],
    "libc6-dev": ["usr/include/stdio.h"],
    "imagemagick": ["usr/bin/convert"],
    "curl": ["usr/bin/curl"],
    "libtk8.6": [f"{ARCH}/libtk8.6.so"],
    "tzdata": ["usr/share/zoneinfo/Europe/Berlin", "usr/share/zoneinfo/Asia/Tokyo"],
    "perl-modules-5.36": ["usr/share/perl/5.36.0/JSON/PP.pm"],
    "ncurses-base": ["usr/share/terminfo/x/xterm"],
    "libc-bin": ["usr/lib/locale/C.utf8/LC_CTYPE", "usr/lib/locale/C.utf8/LC_TIME"],
    "icu-data": ["usr/share/icu/72.1/icudt72l.dat"],
    "fonts-dejavu-core": ["usr/share/fonts/dejavu/Sans.ttf"],
}


def _package(name: str) -> str:
    return f"Package: {name}\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1\n\n"


def _files(name: str, path: str) -> File | str:
    if path.startswith("usr/bin/"):
        return ELF
    return elf(soname=path.rpartition("/")[2]) if ".so" in path else f"{name} {path}\n"


FAT: Files = {
    **SLIM,
    **{path: _files(name, path) for name, paths in _OWNED.items() for path in paths},
    "var/lib/dpkg/status": "".join(map(_package, _OWNED)),
    **{
        f"var/lib/dpkg/info/{name}.list": "".join(f"/{path}\n" for path in paths)
        for name, paths in _OWNED.items()
    },
}
ENV = {"Env": ["PATH=/usr/local/bin:/usr/bin:/bin", "LANG=C.UTF-8"]}
BASES = {
    "python:3.11-slim-bookworm": SLIM,
    "node:20-bookworm-slim": SLIM,
    "gcr.io/distroless/cc-debian12:nonroot": BARE,
    "gcr.io/distroless/cc-debian12": BARE,
}


@dataclass(frozen=True)
class Planned:
    plan: Plan
    evidence: Evidence

    @property
    def text(self) -> str:
        return self.plan.dockerfile

    @property
    def final(self) -> str:
        """The text of the last stage."""
        return "FROM" + self.text.rpartition("\nFROM")[2]

    def installs(self, package: str) -> bool:
        return self.plan.final is not None and package in self.plan.final.packages


class Service:
    """A service of these files in /app, and steps with what each made. `run`: the images' maker."""

    def __init__(self, run: Callable[[Recipe], Image], folder: Path) -> None:
        self._make, self._folder = run, folder

    def original(
        self,
        files: Mapping[str, File | str],
        steps: tuple[tuple[str, Files], ...] = (),
        base: Files = FAT,
        **config: object,
    ) -> tuple[Image, Image]:
        app: Files = {"app": File(folder=True), **{f"app/{k}": v for k, v in files.items()}}
        layers = (
            ("RUN make", {"opt/made": "x\n"}),
            *steps,
            ("COPY . /app", app),
        )
        whole = {**ENV, "Cmd": ["python", "main.py"], "WorkingDir": "/app", **config}
        below = self._make(Recipe((("ADD rootfs", base),), ENV))
        return self._make(Recipe((("ADD rootfs", base), *layers), whole)), below

    def plan(
        self,
        files: Mapping[str, File | str],
        steps: tuple[tuple[str, Files], ...] = (),
        *,
        kind: str = "slim",
        text: str = "FROM python:3.11\nWORKDIR /app\nRUN make\nCOPY . /app\n",
        opened: frozenset[str] = frozenset(),
        executed: tuple[str, ...] = ("/usr/local/bin/python3.11",),
        start: str = '["python", "main.py"]',
        repairs: Repairs | None = None,
        base: Files = FAT,
        named: tuple[str, ...] = (),
        **config: object,
    ) -> Planned:
        image, below = self.original(files, steps, base, **{"Cmd": json.loads(start), **config})
        bases = {name: self._make(Recipe((("ADD", found),), ENV)) for name, found in BASES.items()}
        started = {*executed, "/app/main.py", *opened}
        seen = Seen(opened=frozenset(started), executed=frozenset(executed))
        evidence = gather(image, below, seen, bases.get, named)
        chosen = choose_variants([kind])[0]
        project = Project(
            ContextFiles(self._folder, dict.fromkeys(files, 9)),
            load_ecosystems([], self._folder),
            evidence=evidence,
            repairs=repairs or Repairs(),
        )
        whole = f"{text}CMD {start}\n"
        return Planned(make_plan(whole, project, strategies_of(chosen, [], [])), evidence)

    def sides(
        self,
        files: Mapping[str, File | str],
        steps: tuple[tuple[str, Files], ...] = (),
        *,
        lost: tuple[str, ...] = (),
        now: Mapping[str, File | str] | None = None,
        **config: object,
    ) -> tuple[ImageView, ImageView, Allowances]:
        """The original and one without some files (`lost`, with all below each); `now`: other files
        of its base."""
        original = ImageView(*self.original(files, steps, **config))
        less = {
            path: file
            for path, file in {**FAT, **(now or {})}.items()
            if not any(path == gone or path.startswith(gone + "/") for gone in lost)
        }
        kept = tuple(
            (step, {p: f for p, f in made.items() if not any(p.startswith(g) for g in lost)})
            for step, made in steps
        )
        return original, ImageView(*self.original(files, kept, less, **config)), Allowances()
