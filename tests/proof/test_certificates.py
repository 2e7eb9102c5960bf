"""Root certificates: the bundle may come from another base; an authority of the author may not be
lost."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from recipes import Files, Recipe

from imgopt.inspect.image_view import ImageView
from imgopt.proof.allowances import Allowances
from imgopt.proof.checks.certificates import check_certificates
from imgopt.proof.checks.system_packages import check_system_packages

BUNDLE, OWN = "/etc/ssl/certs/ca-certificates.crt", "/usr/local/share/ca-certificates/corp.crt"


def pem(*names: str) -> str:
    return "".join(
        f"-----BEGIN CERTIFICATE-----\n{name}\n-----END CERTIFICATE-----\n" for name in names
    )


def image(files: Files) -> Recipe:
    return Recipe((("ADD rootfs", {"/etc/passwd": ""}), ("RUN install", files)), {})


CASES = {
    "another edition of the bundle": ({BUNDLE: pem("a", "b")}, {BUNDLE: pem("b", "c")}, []),
    "an authority of one's own is lost": (
        {BUNDLE: pem("a", "corp"), OWN: pem("corp")}, {BUNDLE: pem("a"), OWN: pem("corp")}, [f"{OWN} is not among"],
    ),
    "it is there": ({BUNDLE: pem("a", "corp"), OWN: pem("corp")}, {BUNDLE: pem("corp\r"), OWN: pem("corp")}, []),
    "it never was in the bundle": ({BUNDLE: pem("a"), OWN: pem("corp")}, {BUNDLE: pem("a"), OWN: pem("corp")}, []),
    "none at all": ({BUNDLE: pem("a")}, {}, ["missing certificates"]),
}  # fmt: skip


@pytest.mark.parametrize(("before", "after", "said"), CASES.values(), ids=CASES)
def test_root_certificates(
    view_of: Callable[..., ImageView], before: Files, after: Files, said: list[str]
) -> None:
    check = check_certificates(view_of(image(before), 1), view_of(image(after), 1), Allowances())
    assert len(check.items) == len(said)
    assert all(str(item).startswith(start) for item, start in zip(check.items, said, strict=True))


PACKAGE: Files = {
    "/var/lib/dpkg/status": "Package: ca-certificates\nStatus: install ok installed\nVersion: 1\n",
    "/var/lib/dpkg/info/ca-certificates.list": "/usr/sbin/update-ca-certificates\n/usr/share/ca-certificates/x.crt\n",
    "/usr/sbin/update-ca-certificates": "#!/bin/sh\n",
    "/usr/share/ca-certificates/x.crt": pem("a"),
    BUNDLE: pem("a"),
}


@pytest.mark.parametrize(
    ("there", "opened", "passes"),
    [
        ({BUNDLE: pem("a")}, "", True),
        ({}, "", False),
        ({BUNDLE: pem("a")}, "/usr/share/ca-certificates/x.crt", False),
    ],
    ids=["the bundle is there", "it is not", "another file of the package was opened"],
)
def test_the_package_of_root_certificates_comes_down_to_its_bundle(
    view_of: Callable[..., ImageView], there: Files, opened: str, passes: bool
) -> None:
    before, after = view_of(image(PACKAGE), 1), view_of(image(there), 1)
    check = check_system_packages(
        before, after, Allowances(), ["ca-certificates"], opened=frozenset([opened])
    )
    assert (check.verdict == "passed") is passes
