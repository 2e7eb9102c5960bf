"""Changes as patches: only what changes, under the name of the file."""

from __future__ import annotations

from imgopt.report.file_diff import ignore_diff
from imgopt.results.ignored import IgnoredFiles


def test_of_an_ignore_file_that_is_there_only_the_new_lines_are_shown() -> None:
    before = IgnoredFiles(path="docker/web.dockerignore", text="node_modules\n")
    assert ignore_diff(before, "node_modules\nDockerfile\n") == [
        "--- a/docker/web.dockerignore",
        "+++ b/docker/web.dockerignore",
        "@@ -1 +1,2 @@",
        " node_modules",
        "+Dockerfile",
    ]


def test_a_new_ignore_file_comes_from_nothing() -> None:
    assert ignore_diff(IgnoredFiles(), ".git\n") == [
        "--- /dev/null",
        "+++ b/.dockerignore",
        "@@ -0,0 +1 @@",
        "+.git",
    ]


def test_what_stays_as_it_is_is_not_shown() -> None:
    assert ignore_diff(IgnoredFiles(text=".git\n"), None) == []
    assert ignore_diff(IgnoredFiles(text=".git\n"), ".git\n") == []
