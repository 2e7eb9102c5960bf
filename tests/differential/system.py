"""Steps with the packages of the system, what is cleaned up behind them, and settings that
installers read."""

from __future__ import annotations

from differential.case import Draft

_LISTS = "rm -rf /var/lib/apt/lists/*"


def family(base: str) -> str:
    """Which package manager a base has."""
    if "alpine" in base:
        return "apk"
    names = {"centos": "yum", "fedora": "dnf", "rockylinux": "dnf", "ubi-minimal": "microdnf"}
    return next((tool for name, tool in names.items() if name in base), "apt")


def system_steps(draft: Draft, base: str) -> None:
    {"apk": _apk, "apt": _apt}.get(family(base), _rpm)(draft, family(base))


def _apt(draft: Draft, _tool: str) -> None:
    tool = draft.pick("apt-get", "apt-get", "apt-get", "apt")
    install = f"{tool} install -y {draft.pick('curl', 'curl', 'git curl', '--no-install-recommends dpkg-dev')}"
    form = draft.rng.random()
    if form < 0.88:
        draft.add(
            f"RUN {tool} update", *(["# what the service needs"] if draft.chance(0.03) else [])
        )
        draft.add(f"RUN {install}{draft.pick('', '', f' && {_LISTS}', ' && apt-get clean')}")
    elif form < 0.98:
        glue = draft.pick(" && ", " && \\\n    ", " \\\n    && ")
        draft.add(f"RUN {tool} update{glue}{install}{draft.pick('', '', '', f'{glue}{_LISTS}')}")
    else:
        draft.file("setup-system.sh", "#!/bin/sh\napt-get update\napt-get install -y curl\n", 0o755)
        draft.add("COPY setup-system.sh /tmp/", "RUN sh /tmp/setup-system.sh")
    if draft.chance(0.2):
        draft.add(draft.pick(f"RUN {_LISTS}", "RUN apt-get clean", f"RUN apt-get clean && {_LISTS}",
                             "RUN apt-get purge -y git", "RUN apt-get autoremove -y"))  # fmt: skip
    if draft.chance(0.1) and not any(_LISTS in line for line in draft.lines):
        later = draft.pick(
            "RUN apt-get source hello", "RUN apt-get install -y later", "RUN apt-get download hello",
            "RUN apt-cache search hello", "RUN apt-get -y build-dep hello", "script", "RUN apt-cache policy curl | cat",
        )  # fmt: skip
        if later == "script":
            draft.file("more.sh", "#!/bin/sh\napt-get install -y more\n", 0o755)
            draft.add("COPY more.sh /tmp/")
            later = "RUN sh /tmp/more.sh"
        draft.add(later)


def _apk(draft: Draft, _tool: str) -> None:
    draft.add(draft.pick(
        "RUN apk add --no-cache git", "RUN apk update && apk add git curl", "RUN apk add --update git \\\n"
        "  # at run time\n  curl", "RUN apk add -U curl", "RUN apk update\nRUN apk add curl",
        "RUN apk add --no-cache --virtual .build git", "RUN apk update && apk add git && rm -rf /var/cache/apk/*",
    ))  # fmt: skip
    if ".build" in draft.lines[-1]:
        draft.add(*draft.rng.choice(([], ["RUN apk del .build"])))
    elif draft.chance(0.2):
        draft.add("RUN rm -rf /var/cache/apk/*")


def _rpm(draft: Draft, tool: str) -> None:
    first = f"RUN {tool} install -y gcc{draft.pick('', '', f' && {tool} clean all')}"
    draft.add(first)
    if draft.chance(0.3):
        draft.add(f"RUN {tool} install -y make && {tool} clean all")
    if draft.chance(0.2):
        draft.add(draft.pick(f"RUN {tool} clean all", f"RUN rm -rf /var/cache/{tool}"))


_SETTINGS = {
    "npm": (("npmrc", "/root/.npmrc"), ("npmrc", "/usr/local/etc/npmrc"), ("npmrc", "/home/node/.npmrc")),
    "pip": (("pip.conf", "/etc/pip.conf"), ("pip.conf", "/root/.config/pip/pip.conf"), ("pip.conf", "/etc/")),
    "uv": (("uv.conf", "/root/.config/uv/uv.toml"),),
    "maven": (("settings.xml", "/root/.m2/settings.xml"), ("settings.xml", "/root/.m2/")),
    "ruby": (("gemrc", "/etc/gemrc"), ("gemrc", "/root/.gemrc")),
    "rust": (("cargo.toml", "/usr/local/cargo/config.toml"),),
    "composer": (("auth.json", "/root/.composer/auth.json"),),
    "go": (("gitconfig", "/root/.gitconfig"), ("netrc", "/root/.netrc")),
    "plain": (("debian.list", "/etc/apt/sources.list"), ("local.list", "/etc/apt/sources.list.d/")),
}  # fmt: skip
_CERTIFICATES = {
    "npm": "NODE_EXTRA_CA_CERTS", "yarn": "NODE_EXTRA_CA_CERTS", "pip": "PIP_CERT", "poetry": "REQUESTS_CA_BUNDLE",
    "uv": "SSL_CERT_FILE", "pipenv": "PIP_CERT", "go": "SSL_CERT_FILE", "maven": "MAVEN_CA",
}  # fmt: skip


def settings(draft: Draft, kit: str, base: str) -> None:
    """Sometimes: files of the system or of a user that installers read, and variables that name
    such files."""
    found = _SETTINGS.get(kit, _SETTINGS["plain"] if family(base) == "apt" else ())
    if kit in ("yarn", "pnpm", "berry"):
        found = _SETTINGS["npm"]
    if kit in ("pipenv", "poetry"):
        found = _SETTINGS["pip"]
    if found and draft.chance(0.1):
        name, target = draft.rng.choice(found)
        draft.file(name, f"{name} of the project\n")
        draft.add(f"COPY {name} {target}")
    if kit in _CERTIFICATES and draft.chance(0.07):
        draft.file("ca.pem", "certificate\n")
        place = draft.pick(
            "/app/ca.pem", f"{draft.folder.rstrip('/')}/ca.pem", "/usr/local/share/ca.pem"
        )
        draft.add(f"ENV {_CERTIFICATES[kit]}={place}")
        if not place.startswith(f"{draft.folder.rstrip('/')}/ca.pem"):
            draft.add(f"COPY ca.pem {place}")
    if draft.chance(0.03):
        draft.file("ca.crt", "certificate\n")
        draft.add("COPY ca.crt /usr/local/share/ca-certificates/", "RUN update-ca-certificates")


def final_steps(draft: Draft) -> None:
    """What is removed behind the step that made it, or behind another one, and what is installed
    once more."""
    draft.add(draft.pick(
        "RUN mkdir -p /opt/made && echo big > /opt/made/big\nRUN rm -rf /opt/made",
        "RUN curl -fsSL https://example.org/a -o /tmp/a.tgz\nRUN rm -f /tmp/a.tgz",
        "RUN mkdir -p /opt/made && echo big > /opt/made/big\nRUN rm -rf /opt/made/big /root/.cache",
        "RUN echo made > /etc/made; echo b\nRUN rm -f /etc/made",
        "RUN touch /opt/b || true\nRUN rm -rf /tmp/a",
    ))  # fmt: skip
    if any(line.startswith("RUN apt") for line in draft.lines) and draft.chance(0.8):
        draft.add("RUN apt-get update && apt-get install -y later")
