"""The processes of a container as the kernel shows them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from imgopt.engine import BuildRequest, Session
from imgopt.run.observe import observe
from imgopt.run.pictures import environment, kind_of, limits, picture, signals


def test_variables_are_read_as_they_were_given() -> None:
    given = "A=1\0EMPTY=\0B=x=y\nz\0A=later\0"
    assert environment(given) == {"A": "1", "EMPTY": "", "B": "x=y\nz"}
    assert environment("") == {}


@pytest.mark.parametrize(
    "written",
    ["nginx: master process\0", "A=1\0\0\0B=2\0", "\0\0\0", "gunicorn: worker [a]\0A=1\0"],
)
def test_a_title_that_lies_over_the_variables_is_none(written: str) -> None:
    assert environment(written) is None


def test_limits_are_read_by_their_columns() -> None:
    table = (
        "Limit                     Soft Limit           Hard Limit           Units     \n"
        "Max open files            1024                 524288               files     \n"
        "Max stack size            8388608              unlimited            bytes     \n"
        "Max nice priority         0                    0                    \n"
    )
    assert limits(table) == {
        "Max open files": "1024/524288",
        "Max stack size": "8388608/unlimited",
        "Max nice priority": "0/0",
    }


def test_signals_are_numbered_from_one() -> None:
    assert signals("0000000001001001") == {1, 13, 25}
    assert signals("") == frozenset()


@pytest.mark.parametrize(
    ("target", "kind"),
    [
        ("pipe:[12]", "pipe"),
        ("socket:[12]", "socket"),
        ("anon_inode:[eventpoll]", "event"),
        ("anon_inode:inotify", "event"),
        ("/dev/null", "/dev/null"),
        ("/dev/pts/0", "terminal"),
        ("/dev/fuse", "device"),
        ("/memfd:x (deleted)", "memory"),
        ("/app/log", "file"),
    ],
)
def test_the_kind_of_an_open_file(target: str, kind: str) -> None:
    assert kind_of(target) == kind


def test_a_number_that_means_another_process_here_is_not_looked_at() -> None:
    assert "other numbers here" in (picture(os.getpid(), "0" * 64).reason or "")
    assert picture(0, "0" * 64).reason == "it had ended"


SCRIPT = """\
#!/bin/sh
umask 077
ulimit -n 512
trap '' HUP
cd /srv
export MODE=full
(sleep 60) &
exec sleep 61
"""
JOB = "#!/bin/sh\nexport DEPTH=3\nexec sleep 1\n"


@pytest.mark.engine
def test_what_an_entry_script_gives_to_a_service_is_seen(
    session: Session, bases: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "run.sh").write_text(SCRIPT)
    (tmp_path / "job.sh").write_text(JOB)
    text = "FROM debian:12-slim\nCOPY --chmod=755 *.sh /\nCMD {}\n"
    made = session.build(BuildRequest(tmp_path, text.format('["/run.sh"]'), bases=bases))
    assert made.reference is not None
    after_start, at_end = observe(session, made.reference).pictures
    for seen in (after_start, at_end):
        first, *others = seen.processes
        assert (first.number, first.arguments, first.folder) == (1, ("sleep", "61"), "/srv")
        assert (first.environment or {})["MODE"] == "full"
        assert (first.umask, first.limits["Max open files"]) == (0o077, "512/512")
        assert 1 in first.ignored
        assert {process.parent for process in others} == {1}
        assert "root:x:0:0" in seen.names["/etc/passwd"]
    ended = session.build(BuildRequest(tmp_path, text.format('["/job.sh"]'), bases=bases))
    assert ended.reference is not None
    (seen,) = observe(session, ended.reference).pictures
    assert seen.ended
    assert "3" in {(one.environment or {}).get("DEPTH") for one in seen.processes}
