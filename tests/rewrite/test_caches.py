"""Caches and package lists: by which program they are cleaned, when they are still read, and where
a mount helps."""

from __future__ import annotations

from pathlib import Path

import pytest

from .lone import run


def steps(text: str) -> list[str]:
    return [line for line in text.splitlines() if not line.startswith("FROM")]


@pytest.mark.parametrize(
    ("step", "clean"),
    [
        ("yum install -y gcc", "yum clean all"),
        ("yum -y install gcc", "yum clean all"),
        ("dnf install -y gcc", "dnf clean all"),
        ("microdnf install -y gcc", "microdnf clean all"),
        ("/usr/bin/microdnf install gcc", "/usr/bin/microdnf clean all"),
        ("tdnf install -y gcc", "tdnf clean all"),
        ("zypper install -y gcc", "zypper clean --all"),
        ("zypper -n in gcc", "zypper clean --all"),
        ("yum update -y && yum install -y gcc", "yum clean all"),
        ("mamba install -y numpy", "mamba clean --all --yes"),
        ("conda install -y numpy", "conda clean --all --yes"),
        (
            "apt-get update && apt-get install -y gcc && apt-get clean",
            "rm -rf /var/lib/apt/lists/*",
        ),
        (
            "apt-get update && apt-get install -y a && rm -rf /var/cache/apt/*",
            "rm -rf /var/lib/apt/lists/*",
        ),
        ("apt update && apt install -y gcc", "rm -rf /var/lib/apt/lists/*"),
    ],
)
def test_the_program_that_installs_cleans_up(step: str, clean: str, tmp_path: Path) -> None:
    draft = run("installer-caches", f"FROM base\nRUN {step}\n", tmp_path)
    assert draft.text == f"FROM base\nRUN {step} && {clean}\n"


@pytest.mark.parametrize(
    "step",
    [
        "yum install -y make && yum clean all",
        "yum install -y make && yum -y clean all",
        "dnf install -y make && yum clean all",
        "microdnf install make && microdnf clean all",
        "microdnf install make && rm -rf /var/cache/yum",
        "yum install -y make && rm -rf /var/cache/yum/*",
        "dnf install -y make && rm -rf /var/cache/*",
        "zypper in -y make && zypper clean -a",
        "apt-get update && apt-get install -y make && rm -rf /var/lib/apt/*",
        "apt-get update && apt-get install -y make && rm -rf /var/lib/apt",
        "apk add --update make && rm -rf /var/cache/apk/*",
        "pip install a && pip cache purge",
        "pip install a && rm -rf ~/.cache",
        "PIP_NO_CACHE_DIR=1 pip install a",
        "export PIP_NO_CACHE_DIR=1 && pip install a",
        "sudo yum install -y make",
        "pip install --no-cache a",
        "uv pip install --no-cache-dir a",
        "uv pip install -n a",
        "pip install --cache-dir=/c a",
    ],
)
def test_a_step_that_cleans_up_itself_stays(step: str, tmp_path: Path) -> None:
    assert run("installer-caches", f"FROM base\nRUN {step}\n", tmp_path).changes == ()


def test_what_is_installed_behind_the_cleanup_is_no_clean_step(tmp_path: Path) -> None:
    draft = run(
        "installer-caches",
        "FROM b\nRUN pip install a && pip cache purge && pip install b\n",
        tmp_path,
    )
    assert steps(draft.text) == [
        "RUN pip install a && pip cache purge && pip install --no-cache-dir b"
    ]


LISTS = "RUN apt-get update && apt-get install -y dpkg-dev\n"


@pytest.mark.parametrize(
    "later",
    [
        "RUN apt-get source hello\n",
        "RUN cd /src && apt-get -y build-dep hello\n",
        "RUN apt-get download hello\n",
        "RUN apt-cache policy hello\n",
        "RUN apt list --installed\n",
        "RUN apt-file search bin/hello\n",
        "RUN add-apt-repository ppa:a/b\n",
        "RUN mk-build-deps -i debian/control\n",
        "RUN rosdep install --from-paths src -y\n",
        "RUN sh -c 'apt-get install -y curl'\n",
        "RUN npx playwright install --with-deps\n",
        "RUN echo curl | xargs apt-get install -y\n",
        "RUN if true; then apt-get install -y curl; fi\n",
        "RUN <<EOF\napt-get install -y curl\nEOF\n",
        'RUN ["apt-get", "install", "-y", "curl"]\n',
        "ONBUILD RUN apt-get install -y curl\n",
        "COPY tools.sh /\nRUN /tools.sh\n",
        "COPY tools.sh /\nENTRYPOINT /tools.sh\n",
        "COPY . .\nRUN make deps\n",
        "RUN ./install_prerequisites.sh\n",
        "CMD apt-get install -y curl && curl x\n",
    ],
)
def test_package_lists_that_a_later_step_reads_stay(later: str, tmp_path: Path) -> None:
    files = {
        "tools.sh": "#!/bin/sh\napt-get install -y curl\n",
        "Makefile": "deps:\n\tapt-get install -y curl\n",
    }
    for text in (f"FROM debian:12\n{LISTS}{later}", f"FROM debian:12 AS a\n{LISTS}FROM a\n{later}"):
        draft = run("installer-caches", text, tmp_path, files)
        assert draft.text == text
        assert "further down" in draft.skips[0].reason


def test_a_stage_that_starts_from_this_one_reads_them_too(tmp_path: Path) -> None:
    text = f"FROM debian:12 AS base\n{LISTS}FROM base AS tools\nRUN apt-get install -y gdb\nFROM base\nCMD sh\n"
    assert run("installer-caches", text, tmp_path).text == text


@pytest.mark.parametrize(
    "later",
    [
        "RUN apt-get update && apt-get source hello\n",
        "RUN apt-get clean\n",
        "RUN apt-get purge -y dpkg-dev\n",
        "RUN rm -rf /etc/apt /var/lib/apt-old\n",
        "RUN mkdir -p /etc/apt && cp x /etc/apt/\n",
        "RUN npm ci\n",
        "COPY fetch.sh /\nRUN /fetch.sh\n",
        "RUN apt-get update && apt-get install -y a\nRUN apt-get install -y b\n",
        "CMD apt-get update && apt-get install -y curl\n",
    ],
)
def test_package_lists_that_nobody_reads_go(later: str, tmp_path: Path) -> None:
    files = {"fetch.sh": "#!/bin/sh\napt-get update\napt-get install -y curl\n"}
    draft = run("installer-caches", f"FROM debian:12\n{LISTS}{later}", tmp_path, files)
    assert "dpkg-dev && rm -rf /var/lib/apt/lists/*" in draft.text


def test_update_and_install_are_joined_but_the_lists_stay_where_sources_are_fetched_later(
    tmp_path: Path,
) -> None:
    text = "FROM debian:12\nRUN apt-get update\nRUN apt-get install -y dpkg-dev\nRUN cd /x && apt-get source hello\n"
    assert run("apt-hygiene", text, tmp_path).text == text


@pytest.mark.parametrize(
    ("first", "later"),
    [
        ("RUN dnf install -y a\n", "RUN dnf -C install -y b\n"),
        ("RUN yum install -y a\n", "RUN yum --cacheonly install -y b\n"),
        ("COPY package.json .\nRUN npm ci\n", "RUN npm ci --offline\n"),
        ("RUN conda install -y a\n", "RUN conda install --offline -y b\n"),
        ("RUN apk update && apk add a\n", "COPY more.sh .\nRUN sh more.sh\n"),
        ("RUN apk add a\n", "COPY more.sh .\nRUN sh more.sh\n"),
        ("RUN apk add a\n", "RUN apk search b\n"),
        ("RUN apk add a\n", "RUN <<EOF\napk add b\nEOF\n"),
    ],
)
def test_a_cache_that_a_later_step_installs_from_stays(
    first: str, later: str, tmp_path: Path
) -> None:
    text = f"FROM base\n{first}{later}"
    draft = run(
        "installer-caches", text, tmp_path, {"more.sh": "apk add b\n", "package.json": "{}"}
    )
    assert draft.text == text


def test_a_cache_that_another_stage_takes_stays(tmp_path: Path) -> None:
    text = "FROM node AS base\nRUN npm ci\nFROM base AS x\nCOPY --from=base /root/.npm /root/.npm\nFROM base\n"
    assert run("installer-caches", text, tmp_path, {"package.json": "{}"}).text == text


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("pip install -U pip && pip install b", "pip install --no-cache-dir -U pip && pip install --no-cache-dir b"),
        ("python -m pip install a", "python -m pip install --no-cache-dir a"),
        ("pip install --no-cache-dir a; pip install b", "pip install --no-cache-dir a; pip install --no-cache-dir b"),
        ("pip install a; pip3 install b", "pip install --no-cache-dir a; pip3 install --no-cache-dir b"),
        ("pip --quiet install a", "pip --quiet install --no-cache-dir a"),
        ("apk add --update bash", "apk add --no-cache bash"),
        ("apk add bash -U curl", "apk add --no-cache bash curl"),
        ("apk --update add bash", "apk --no-cache add bash"),
        ("apk -U upgrade", "apk --no-cache upgrade"),
        ("apk add --virtual .build gcc", "apk add --no-cache --virtual .build gcc"),
        ("apk add -U --update-cache bash", "apk add --no-cache bash"),
        ("apk update && apk add bash", "apk update && apk add bash && rm -rf /var/cache/apk/*"),
        ("apk add a && apk add b", "apk add --no-cache a && apk add --no-cache b"),
        ("uv pip install --system a", "uv pip install --no-cache --system a"),
    ],
)  # fmt: skip
def test_the_option_stands_behind_each_verb(before: str, after: str, tmp_path: Path) -> None:
    assert (
        run("installer-caches", f"FROM b\nRUN {before}\n", tmp_path).text
        == f"FROM b\nRUN {after}\n"
    )


def test_the_option_does_not_part_packages_from_their_comments(tmp_path: Path) -> None:
    text = "FROM b\nRUN apk add \\\n  # to serve\n  nginx \\\n  # to see\n  htop \\\n  -U\n"
    after = "FROM b\nRUN apk add --no-cache \\\n  # to serve\n  nginx \\\n  # to see\n  htop\n"
    assert run("installer-caches", text, tmp_path).text == after


@pytest.mark.parametrize(
    ("lock", "cleaned"), [("# yarn lockfile v1\n", True), ("__metadata:\n  version: 8\n", False)]
)
def test_yarn_2_and_later_run_from_what_their_clean_removes(
    lock: str, cleaned: bool, tmp_path: Path
) -> None:
    files = {"package.json": "{}", "yarn.lock": lock}
    draft = run("installer-caches", "FROM node:20\nRUN yarn install\n", tmp_path, files)
    assert ("yarn cache clean" in draft.text) is cleaned


@pytest.mark.parametrize(
    ("first", "cleanup"),
    [
        ("curl -fsSLo /a.tgz https://x/a.tgz", "rm /a.tgz"),
        ("curl -O https://x/a.tgz", "rm a.tgz"),
        ("wget https://x/a.tgz?b=1", "rm -f /a.tgz"),
        ("wget -P /tmp https://x/a.tgz", "rm -rf /tmp/*"),
        ("git clone https://x/tool.git && make -C tool install", "rm -rf tool"),
        ("git clone https://x/tool.git /src/t", "rm -rf /src"),
        ("tar xzf /a.tgz -C /opt/build", "rm -rf /opt/build"),
        ("mkdir /data && head -c 9 /dev/zero > /data/big", "rm /data/big"),
        ("cp -r /opt/a /opt/b", "rm -rf /opt/b"),
        ("apt-get update && apt-get install -y curl", "apt-get clean"),
        ("apt-get update && apt-get install -y gcc", "apt-get purge -y gcc"),
        ("apk add --virtual .deps gcc", "apk del .deps"),
        ("yum install -y gcc", "yum clean all && rm -rf /var/cache/yum"),
        ("pip install a", "rm -rf ~/.cache/pip"),
        ("npm install -g a", "npm cache clean --force"),
        ("dd if=/dev/zero of=/big", "rm /big"),
    ],
)
def test_a_cleanup_is_joined_to_the_step_that_made_what_it_removes(
    first: str, cleanup: str, tmp_path: Path
) -> None:
    draft = run("same-layer-cleanup", f"FROM d\nRUN {first}\nRUN {cleanup}\n", tmp_path)
    assert draft.text == f"FROM d\nRUN {first} \\\n    && {cleanup}\n"


@pytest.mark.parametrize(
    ("first", "cleanup"),
    [
        pytest.param("ls -la /usr/bin/env", "rm -rf /data/big /a.tgz", id="made two layers above"),
        pytest.param("tar xzf /a.tgz -C /opt", "rm /a.tgz", id="unpacked, not made"),
        pytest.param("sha256sum /opt/data", "rm -r /opt/data", id="read"),
        pytest.param("make -C /app", "apt-get purge -y gcc", id="packages of an earlier step"),
        pytest.param(
            "apt-get update && apt-get install -y curl", "apt-get purge -y gcc", id="other packages"
        ),
        pytest.param(
            "apt-get update && apt-get install -y curl",
            "npm cache clean --force",
            id="another manager",
        ),
        pytest.param("cp /etc/a /opt/b", "rm /etc/a", id="copied from"),
        pytest.param("pip install a", "rm -rf /var/lib/apt/lists/*", id="another manager's lists"),
        pytest.param("echo /data > /list", "rm -rf /data", id="written about"),
        pytest.param("curl -o /a https://x/a", "rm /a; rm /b", id="a failure would be lost"),
        pytest.param("curl -o /a https://x/a", "rm /a || true", id="alternatives"),
        pytest.param("set -f && curl -o /a/b https://x/a", "rm -rf /a/*", id="no globs any more"),
        pytest.param(
            "set -eu && curl -o /a/b https://x/a", "rm -rf /a/b $MORE", id="unset variables"
        ),
        pytest.param("cd /x && curl -O https://x/a", "rm a", id="another folder"),
        pytest.param("curl -o /a https://x/a &", "rm /a", id="in the background"),
    ],
)
def test_a_cleanup_that_would_free_nothing_or_fail_otherwise_stays(
    first: str, cleanup: str, tmp_path: Path
) -> None:
    text = f"FROM d\nRUN {first}\nRUN {cleanup}\n"
    assert run("same-layer-cleanup", text, tmp_path).text == text


@pytest.mark.parametrize(
    ("install", "cleanup"),
    [
        ("apt-get update && apt-get install -y gcc", "apt-get purge -y gcc"),
        ("apt-get update && apt-get install -y gcc", "apt-get autoremove -y"),
        ("apk add --no-cache --virtual .deps gcc", "apk del .deps"),
        ("dnf install -y gcc", "dnf remove -y gcc"),
        ("dnf install -y gcc", "dnf clean all"),
        ("npm install -g a", "npm cache clean --force"),
        ("pip install a", "pip uninstall -y a"),
        ("pip install a", "rm -rf /root/.cache"),
    ],
)
def test_a_step_between_that_made_nothing_of_it_is_no_place_for_the_cleanup(
    install: str, cleanup: str, tmp_path: Path
) -> None:
    text = f"FROM d\nRUN {install}\nRUN make\nRUN {cleanup}\n"
    assert run("same-layer-cleanup", text, tmp_path).text == text


def test_cleanups_are_joined_in_the_style_of_the_step(tmp_path: Path) -> None:
    text = "FROM d\nRUN apt-get update && \\\n  apt-get install -y curl\n\nRUN apt-get clean\n\nCMD curl\n"
    after = "FROM d\nRUN apt-get update && \\\n  apt-get install -y curl && \\\n  apt-get clean\n\nCMD curl\n"
    assert run("same-layer-cleanup", text, tmp_path).text == after
