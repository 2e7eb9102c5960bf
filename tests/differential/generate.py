"""Small Dockerfiles with their contexts, each from a number: many kinds of what real projects do,
and of the traps."""

from __future__ import annotations

from random import Random

from differential.case import Case, Draft
from differential.kits import KITS, Kit
from differential.system import family, final_steps, settings, system_steps

_WEIGHTS = {
    "npm": 16,
    "yarn": 9,
    "berry": 4,
    "pnpm": 5,
    "pip": 20,
    "poetry": 6,
    "pipenv": 3,
    "uv": 6,
    "go": 10,
    "rust": 6,
    "maven": 2,
    "composer": 2,
    "ruby": 3,
    "dotnet": 3,
    "plain": 3,
}
_LIKE = 4
"""Files that have the same steps for the system, if their bases have the same package manager: the
cache builds them once, and what follows them is what differs."""
_ODD_NAMES = ("my file.txt", "ünï.txt", "[a].txt", "a$b.txt", "-dash.txt", "#hash.txt", "it's.txt")


def generate(seed: int, strategies: tuple[str, ...]) -> Case:
    """The case of a number: always the same."""
    rng = Random(seed)
    name = rng.choices(tuple(_WEIGHTS), tuple(_WEIGHTS.values()))[0]
    kit = KITS[name]
    draft = Draft(rng, seed // _LIKE)
    kit.files(draft)
    _context(draft)
    if name == "plain":
        _service(draft, kit)
    elif draft.chance(0.22):
        _two_stages(draft, kit)
    else:
        _one_stage(draft, kit)
    off = frozenset(
        item for item in strategies if rng.random() < (0.08 if item == "cache-mounts" else 0.01)
    )
    text = "\n".join(draft.lines) + "\n"
    if draft.chance(0.03):
        text = text.replace("\n", "\r\n")
    return Case(
        f"seed {seed}", text, draft.files, frozenset(draft.junk), draft.ignore, draft.sibling, off
    )


def _context(draft: Draft) -> None:
    """What lies in a project's folder besides its own files."""
    draft.file("start.sh", '#!/bin/sh\nexec serve "$@"\n', 0o755)
    draft.file(
        "start",
        "exec serve started\n" if draft.chance(0.3) else "#!/bin/sh\nexec serve started\n",
        0o755,
    )
    draft.file("Makefile", "all:\n")
    draft.file("manage.py", "manage\n")
    litter = (
        (".github/workflows/ci.yml", ".gitattributes"),
        ("__pycache__/app.cpython-312.pyc",),
        (".idea/a.xml",),
        (".vscode/settings.json",),
        (".DS_Store", "sub/.DS_Store"),
        ("npm-debug.log",),
        ("docker-compose.yml",),
        ("compose.yaml",),
        ("compose.prod.yaml", "docker-compose.override.yml"),
        (".pytest_cache/v",),
        (".mypy_cache/a",),
        ("imgopt.toml",),
        (".venv/pyvenv.cfg", ".venv/lib/a.py"),
        (".hg/store",),
    )
    for names in draft.rng.sample(litter, draft.rng.randrange(4)):
        for path in names:
            draft.litter(path)
    draft.litter("Dockerfile")
    if draft.chance(0.5):
        draft.litter(".git/HEAD", "ref: main\n")
    if draft.chance(0.12):
        needed = (
            "composer.yaml",
            "composed.yml",
            "venv/__init__.py",
            "src/venv/a.py",
            "docs/Dockerfile.md",
            "a.git",
        )
        draft.file(draft.pick(*needed), "what the program reads\n")
    if draft.chance(0.1):
        draft.file(draft.pick(*_ODD_NAMES), "odd\n")
    if draft.chance(0.1):
        draft.file("config.json", "of the developer\n")
    if draft.chance(0.15):
        draft.ignore = draft.pick(
            "*.log\n",
            ".git\n",
            "# nothing\n",
            "**/node_modules\n",
            ".git\n.venv\n",
            "*.md\n!README.md\n",
            "docs\n",
        )
    if draft.chance(0.1):
        named = draft.pick("compose.yaml", ".gitattributes", "app.env")
        draft.file(named, "x\n")
        draft.junk.discard(named)
        draft.junk.add(named)  # for this Dockerfile; the other one says that it wants it
        draft.sibling = f"FROM debian:12\nCOPY {named} /there/\n"
        draft.litter("Dockerfile.e2e", draft.sibling)


def _one_stage(draft: Draft, kit: Kit) -> None:
    _begin(draft, kit, "")
    _body(draft, kit)
    _copied_folder_late(draft)
    if draft.chance(0.12):
        final_steps(draft)
    _end(draft, kit.starts)


def _two_stages(draft: Draft, kit: Kit) -> None:
    name = draft.pick("build", "builder", "deps")
    _begin(draft, kit, f" AS {name}", ("/app", "/src", "/srv/app", "/usr/src/app"), 0.25)
    _body(draft, kit)
    folder = draft.folder
    draft.add(f"FROM {draft.pick('debian:12', 'debian:12-slim', kit.bases[0])}")
    _system(draft, "debian")
    draft.folder = draft.pick("/shop", "/shop", "/srv/app")
    draft.add(f"COPY --from={name} {folder} {draft.folder}")
    if draft.chance(0.6):
        draft.add(
            f"RUN chown -R {draft.pick('node:node', '1001:1001', 'app:app', '1000:1000')} {draft.folder}"
        )
    draft.add(f"WORKDIR {draft.folder}")
    if draft.chance(0.6):
        _copied_folder_late(draft)
    _end(draft, ("./start.sh", "serve -p 80", "./start", f"{draft.folder}/start.sh --all"))


def _service(draft: Draft, kit: Kit) -> None:
    """A program of the system with files of the context."""
    base = draft.pick(*kit.bases)
    draft.add(f"FROM {base}")
    settings(draft, "plain", base)
    _system(draft, base)
    _variables(draft)
    if draft.chance(0.5):
        draft.add(draft.pick("WORKDIR /srv", "WORKDIR /app"))
    draft.add(
        draft.pick(
            "COPY . .",
            "COPY . /srv/",
            "COPY index.html /srv/",
            "ADD . /srv",
            "COPY index.html start ./",
        )
    )
    if draft.chance(0.2):
        draft.add(
            draft.pick(
                "RUN chmod +x start",
                "RUN ls -la /bin/ls",
                "RUN curl -fsSL https://x.example.org -o /x",
            )
        )
    _copied_folder_late(draft)
    _end(draft, kit.starts)


def _system(draft: Draft, base: str) -> None:
    """Steps that need nothing of the project, and are the same in some files."""
    own, draft.rng = draft.rng, Random(f"{draft.group} {family(base)}")
    stamp = _stamp(draft) if draft.chance(0.95) else ""
    system_steps(draft, base)
    if stamp and draft.chance(0.2):
        draft.add(f"RUN echo ${stamp} > /stamp")
    if draft.chance(0.9):
        final_steps(draft)
    if draft.chance(0.08):
        _copied_folder(draft)
    draft.rng = own


_FOLDERS = ("/app", "/app", "/srv/app", "/usr/src/app", "/home/node/app", "/")


def _begin(
    draft: Draft, kit: Kit, alias: str, folders: tuple[str, ...] = _FOLDERS, system: float = 1.0
) -> None:
    base = draft.pick(*kit.bases)
    if draft.chance(0.1):
        draft.add("# the service", "ARG RELEASE=1")
    draft.add(f"FROM {base}{alias}")
    early = draft.chance(0.15)
    if early:
        _variables(draft)
    if draft.chance(system):
        _system(draft, base)
    if not early:
        _variables(draft)
    draft.folder = draft.pick(*folders)
    if draft.folder != "/":
        draft.add(f"WORKDIR {draft.folder}")
    elif kit is KITS["rust"]:
        draft.folder = "/app"
        draft.add("WORKDIR app")
    settings(draft, next(name for name, one in KITS.items() if one is kit), base)


def _stamp(draft: Draft) -> str:
    """What every build has anew, above the steps of the system, and what passes it on."""
    name = draft.pick("GIT_COMMIT", "BUILD_DATE", "APP_VERSION")
    draft.add(f"{draft.pick('ARG', 'ENV')} {name}=c0ffee")
    if draft.chance(0.5):
        draft.add(
            draft.pick(f"ENV {name}=${name}", f"ENV SAID=${{{name}}}", f"LABEL revision=${name}")
        )
    return name


def _variables(draft: Draft) -> None:
    if draft.chance(0.88):
        draft.add(
            draft.pick(
                "ENV PORT 8080",
                "ENV APP_MODE=production",
                'ENV APP_NAME "the shop"',
                "ENV PORT 80",
                "ENV APP_MODE  two words",
                "ENV APP_NAME=a\\ b PORT=80",
            )
        )
    if draft.chance(0.5):
        draft.add(
            draft.pick(
                "LABEL maintainer me",
                "MAINTAINER me <me@example.org>",
                'LABEL a="b" c=d',
                "ARG BUILD=1",
            )
        )
    if draft.chance(0.03):
        draft.add('SHELL ["/bin/sh", "-ec"]')


def _body(draft: Draft, kit: Kit) -> None:
    """The source and the steps that install and build, in one of the orders that projects have."""
    if draft.chance(0.9):
        draft.add(
            draft.pick("RUN useradd -u 200000 svc", "RUN useradd -rm --uid=200000 svc && true")
        )
    installs, build = kit.installs(draft), draft.pick(*kit.builds)
    steps = [*installs, *([build] if not installs or draft.chance(0.35) else [])]
    if draft.chance(0.07):
        steps.insert(
            draft.rng.randrange(len(steps) + 1),
            draft.pick(
                "curl -fsSL https://example.org/prod.json -o config.json",
                "wget -O config.json https://example.org/c",
                "git describe --tags > version || true",
                "mkdir -p logs",
                "cp app.conf.example app.conf || true",
                "echo 1 > version.txt",
                "chmod +x start",
                "touch .env && cat .env",
            ),
        )
    if draft.folder == "/":
        steps = [step for step in steps if "chmod" not in step]
    between = _set(draft, kit, steps) if draft.chance(0.08) else []
    runs = [*between, *_runs(draft, steps)]
    order = draft.rng.random()
    if (
        order >= 0.88
    ):  # what the developer installed would lie over the installation in the original already
        for path in [path for path in draft.files if path.startswith(_INSTALLED)]:
            del draft.files[path]
            draft.junk.discard(path)
    if order < 0.88:
        _source(draft)
        draft.add(*runs)
    elif order < 0.96:
        names = " ".join(kit.manifests)
        draft.add(f"COPY {names} ./", runs[0])
        _source(draft)
        draft.add(*(runs[1:] or ([f"RUN {build}"] if draft.chance(0.4) else [])))
    else:
        folders = ["COPY src ./src"] if "rust" in kit.bases[0] or "maven" in kit.bases[0] else []
        if draft.chance(0.5):
            draft.add(f"COPY {' '.join([*kit.manifests, *_sources(draft)])} ./", *folders, *runs)
        else:
            draft.add(
                f"COPY {' '.join(kit.manifests)} ./",
                f"COPY {' '.join(_sources(draft))} ./",
                *folders,
                *runs,
            )


_VARIABLES = {
    "npm": "NPM_CONFIG_FUND=false",
    "yarn": "YARN_HTTP_TIMEOUT=9",
    "berry": "YARN_HTTP_TIMEOUT=9",
    "pnpm": "PNPM_HOME=/p",
    "pip": "PIP_TIMEOUT=9",
    "pipenv": "PIPENV_TIMEOUT=9",
    "poetry": "POETRY_HTTP_BASIC_A=b",
    "uv": "UV_HTTP_TIMEOUT=9",
    "go": "GOPRIVATE=example.org",
    "rust": "CARGO_NET_RETRY=3",
    "maven": "MAVEN_OPTS=-Xmx1g",
    "ruby": "BUNDLE_JOBS=4",
    "composer": "COMPOSER_PROCESS_TIMEOUT=9",
    "dotnet": "NUGET_XMLDOC_MODE=skip",
}


def _set(draft: Draft, kit: Kit, steps: list[str]) -> list[str]:
    """Settings for a step, by the step itself, or by an instruction between the source and the
    steps."""
    at = draft.rng.randrange(len(steps))
    variable = _VARIABLES[next(name for name, one in KITS.items() if one is kit)]
    form = draft.rng.random()
    if form < 0.35:
        legacy = variable.replace("=", " ")
        return [
            draft.pick(f"ENV {variable}", f"ENV {legacy}", f"ARG {variable}", f"ENV A=1 {variable}")
        ]
    before = (
        f"export {variable} && ",
        f"export {variable}; ",
        f"{variable} ",
        "echo machine > /root/.netrc && ",
        "export HTTPS_PROXY=http://p:3128 && ",
        "export A=$(id -u) && ",
        "echo the build >&2 && ",
    )
    steps[at] = draft.pick(*before) + steps[at]
    if "netrc" in steps[at] and draft.chance(0.5):
        steps[-1] += " && rm /root/.netrc"
    return []


_INSTALLED = ("node_modules/", "vendor/autoload", "vendor/dev", "obj/", ".venv/", "target/")


def _sources(draft: Draft) -> list[str]:
    """Files that a build needs, by name."""
    known = (
        "app.js",
        "app.py",
        "main.go",
        "index.php",
        "Program.cs",
        "app.rb",
        "setup.py",
        "more.txt",
        "README.md",
    )
    return [
        *(name for name in known if name in draft.files),
        "start",
        "start.sh",
        "Makefile",
        "manage.py",
    ]


def _source(draft: Draft) -> None:
    folder = "./" if draft.folder == "/" else draft.folder
    line = draft.pick(
        "COPY . .", "COPY . .", "COPY . ./", f"COPY . {folder}", "ADD . .", "COPY ./ ."
    )
    if draft.chance(0.1):
        draft.add("# the source")
    draft.add(line)


def _runs(draft: Draft, steps: list[str]) -> list[str]:
    """The steps as RUN lines: each its own, or joined, in the ways that people write them."""
    if len(steps) > 1 and draft.chance(0.35):
        steps = [draft.pick(" && ", " \\\n    && ", " && \\\n    ").join(steps)]
    return [_run(draft, step) for step in steps]


def _run(draft: Draft, step: str) -> str:
    form = draft.rng.random()
    if form < 0.03:
        return (
            f"RUN <<EOF\nset -e\n{step.replace(' && ', chr(10))}\nEOF"
            if chr(10) not in step
            else f"RUN {step}"
        )
    if form < 0.05 and not set(step) & set("&|>\\'$;"):
        return "RUN [" + ", ".join(f'"{word}"' for word in step.split()) + "]"
    if form < 0.09:
        cache = draft.pick(
            "/root/.npm",
            "/root/.cache/pip",
            "/root/.cache",
            "/app/target",
            "/root/.m2",
            "/go/pkg/mod",
            "/usr/local/cargo/registry/cache",
            "/usr/local/cargo/registry/index",
        )
        return f"RUN --mount=type=cache,target={cache} {step}"
    if form < 0.11:
        return f"RUN cd {draft.folder} && {step}"
    if form < 0.13:
        return f"RUN set -eux; {step}"
    return f"RUN {step}"


def _copied_folder_late(draft: Draft) -> None:
    if not any("/given" in line for line in draft.lines) and draft.chance(0.95):
        _copied_folder(draft)


def _copied_folder(draft: Draft) -> None:
    """Files that another user shall have."""
    draft.file("given/a.txt", "a\n")
    owner = draft.pick(
        "1000:1000",
        "node:node",
        "1001:1001",
        "app:app",
        "2000:2000",
        "node",
        "1001:1001",
        "0:0",
        "app",
        "1000",
        "node:",
        "0:1001",
        "1001:0",
    )
    source = draft.pick(*["given", "given/"] * 5, "given/a.txt")
    target = "/given/" if source.endswith(".txt") else draft.pick("/given", "/given/", "/given")
    draft.add(f"COPY {source} {target}", f"RUN chown -R {owner} /given")


def _end(draft: Draft, starts: tuple[str, ...]) -> None:
    if draft.chance(0.2):
        draft.add(f"USER {draft.pick('node', 'app', '1001', 'nobody')}")
    if draft.chance(0.2):
        draft.add(
            draft.pick("EXPOSE 8080", "STOPSIGNAL SIGINT", "VOLUME /data", "HEALTHCHECK CMD true")
        )
    if draft.chance(0.03):
        draft.add("ONBUILD RUN apt-get install -y later")
    start = draft.pick(*starts)
    start = (
        start
        if start not in ("start", "./start")
        else draft.pick("./start", f"{draft.folder.rstrip('/')}/start")
    )
    form = draft.rng.random()
    if form < 0.7:
        draft.add(f"CMD {start}")
    elif form < 0.81:
        draft.add(f"ENTRYPOINT {start}")
    elif form < 0.83:
        draft.add(f"ENTRYPOINT {start}", 'CMD ["--more"]')
    elif form < 0.85:
        draft.add('ENTRYPOINT ["./start.sh"]', f"CMD {start}")
    elif form < 0.91:
        draft.add(
            f"CMD {start} {draft.pick('$PORT', '*.txt', '> /tmp/log', '&& true', '~/a', '| cat', 'a;b', '#c')}"
        )
    elif form < 0.94:
        draft.add(f"CMD exec {start}")
    elif form < 0.97:
        draft.add(f"CMD {draft.pick('cd /tmp', 'ulimit -n 9', 'X=1')} && {start}")
    else:
        draft.add(
            "CMD [" + ", ".join(f'"{word}"' for word in start.split() if "'" not in word) + "]"
        )
