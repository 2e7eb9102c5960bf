"""Programs of the start, and of the scripts that it runs, that do their work for root alone."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from imgopt.inspect.image_view import ImageView
from imgopt.inspect.start.programs import running_scripts, started
from imgopt.inspect.start.shell_programs import called_programs
from imgopt.inspect.words import words

NEEDS_ROOT = words(
    "cron crond service sshd su sudo gosu su-exec setpriv runuser mount umount iptables sysctl"
    " useradd adduser usermod groupadd addgroup apt-get apt apk dnf yum chroot setcap"
)
"""Programs that do their work for root alone."""


def programs_for_root(view: ImageView) -> Iterator[tuple[str, str]]:
    """(program, who calls it) of the start and of the scripts that it runs."""
    for use in started(view):
        if posixpath.basename(use.word) in NEEDS_ROOT:
            yield posixpath.basename(use.word), use.by
    for script in running_scripts(view):
        called = called_programs(script.read(1 << 20).decode("utf-8", "replace"))
        yield from (
            (posixpath.basename(word), script.path)
            for word in called
            if posixpath.basename(word) in NEEDS_ROOT
        )
