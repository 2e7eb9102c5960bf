"""Each line was said by a real program; the comment of a group names it."""

from __future__ import annotations

import pytest

from imgopt.run.log_failures import failures_from_logs

LINES = [
    # glibc and musl loaders
    (
        "/app/server: error while loading shared libraries: libpq.so.5: cannot open shared object file: No such file",
        ("missing-library", "libpq.so.5"),
    ),
    (
        "ImportError: libGL.so.1: cannot open shared object file: No such file or directory",
        ("missing-library", "libGL.so.1"),
    ),
    (
        "Error loading shared library libssl.so.3: No such file or directory (needed by /usr/bin/curl)",
        ("missing-library", "libssl.so.3"),
    ),
    (
        "/app/x: /lib/x86_64-linux-gnu/libc.so.6: version `GLIBC_2.38' not found (required by /app/x)",
        ("missing-library", "/lib/x86_64-linux-gnu/libc.so.6"),
    ),
    # Python
    ("ModuleNotFoundError: No module named 'yaml'", ("missing-module", "yaml")),
    ("/usr/local/bin/python: No module named flask", ("missing-module", "flask")),
    (
        "importlib.metadata.PackageNotFoundError: No package metadata was found for demo",
        ("missing-module", "demo"),
    ),
    (
        "FileNotFoundError: [Errno 2] No such file or directory: '/app/data.json'",
        ("missing-file", "/app/data.json"),
    ),
    (
        "FileNotFoundError: [Errno 2] No such file or directory: 'tesseract'",
        ("missing-file", "tesseract"),
    ),
    (
        "PermissionError: [Errno 13] Permission denied: '/app/uploads/a'",
        ("permission", "/app/uploads/a"),
    ),
    ("OSError: [Errno 30] Read-only file system: '/data'", ("not-writable", "/data")),
    ("jinja2.exceptions.TemplateNotFound: index.html", ("missing-file", "index.html")),
    (
        "zoneinfo._common.ZoneInfoNotFoundError: 'No time zone found with key Europe/Berlin'",
        ("missing-time-zone", "Europe/Berlin"),
    ),
    ("locale.Error: unsupported locale setting", ("missing-locale", "unsupported locale setting")),
    (
        "ssl.SSLCertVerificationError: [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed",
        ("missing-certificates", "/etc/ssl/certs/ca-certificates.crt"),
    ),
    # Node
    ("Error: Cannot find module 'express'", ("missing-module", "express")),
    ("Error: Cannot find module '/app/dist/main.js'", ("missing-file", "/app/dist/main.js")),
    (
        "Error [ERR_MODULE_NOT_FOUND]: Cannot find package 'zod' imported from /app/index.mjs",
        ("missing-module", "zod"),
    ),
    ("Error: EACCES: permission denied, mkdir '/app/tmp'", ("permission", "/app/tmp")),
    (
        "Error: ENOENT: no such file or directory, open '/app/views/a.ejs'",
        ("missing-file", "/app/views/a.ejs"),
    ),
    ("Error: spawn ffmpeg ENOENT", ("missing-command", "ffmpeg")),
    # Java
    (
        'Exception in thread "main" java.lang.NoClassDefFoundError: org/slf4j/Logger',
        ("missing-module", "org.slf4j.Logger"),
    ),
    ("Error: Unable to access jarfile /app/app.jar", ("missing-file", "/app/app.jar")),
    ("java.nio.file.AccessDeniedException: /app/logs", ("permission", "/app/logs")),
    # the container runtime, shells
    (
        'OCI runtime create failed: runc create failed: exec: "npm": executable file not found in $PATH: unknown',
        ("missing-command", "npm"),
    ),
    ('exec: "/entrypoint.sh": permission denied: unknown', ("permission", "/entrypoint.sh")),
    (
        'exec: "/entrypoint.sh": stat /entrypoint.sh: no such file or directory',
        ("missing-command", "/entrypoint.sh"),
    ),
    ("/entrypoint.sh: line 4: envsubst: command not found", ("missing-command", "envsubst")),
    ("/entrypoint.sh: 4: envsubst: not found", ("missing-command", "envsubst")),
    ("/usr/bin/env: 'node': No such file or directory", ("missing-command", "node")),
    ("env: can't execute 'bash': No such file or directory", ("missing-command", "bash")),
    ("exec /app/run.sh: no such file or directory", ("missing-command", "/app/run.sh")),
    ("mkdir: cannot create directory '/data/x': Permission denied", ("permission", "/data/x")),
    (
        "sh: 1: cannot create /var/run/app.pid: Permission denied",
        ("permission", "/var/run/app.pid"),
    ),
    # nginx, Go
    (
        'nginx: [emerg] mkdir() "/var/cache/nginx/client_temp" failed (13: Permission denied)',
        ("permission", "/var/cache/nginx/client_temp"),
    ),
    (
        "panic: open templates/index.html: no such file or directory",
        ("missing-file", "templates/index.html"),
    ),
    ("panic: unknown time zone Europe/Berlin", ("missing-time-zone", "Europe/Berlin")),
    ("open /data/db.sqlite: permission denied", ("permission", "/data/db.sqlite")),
    ("listen tcp :80: bind: permission denied", ("permission", "port 80")),
    (
        "nginx: [emerg] bind() to 0.0.0.0:80 failed (13: Permission denied)",
        ("permission", "port 80"),
    ),
    ("unable to find user app: no matching entries in passwd file", ("configuration", "user")),
    (
        "sqlite3.OperationalError: attempt to write a readonly database",
        ("not-writable", "database"),
    ),
]


@pytest.mark.parametrize(
    ("line", "expected"), LINES, ids=[kind + " " + subject for _, (kind, subject) in LINES]
)
def test_a_line_that_a_program_says_names_what_failed(line: str, expected: tuple[str, str]) -> None:
    assert [(item.kind, item.subject) for item in failures_from_logs(f"starting\n  {line}\n")] == [
        expected
    ]


def test_ordinary_lines_name_nothing() -> None:
    assert (
        failures_from_logs(
            "Listening on http://0.0.0.0:8000\nGET / 404 not found\nInfo: no module loaded\n"
        )
        == ()
    )


def test_each_failure_is_told_once_and_in_order() -> None:
    text = "No module named 'b'\nModuleNotFoundError: No module named 'b'\nModuleNotFoundError: No module named 'a'\n"
    assert [item.subject for item in failures_from_logs(text)] == ["b", "a"]


def test_a_missing_library_says_who_needs_it() -> None:
    (item,) = failures_from_logs(
        "python3: error while loading shared libraries: libz.so.1: cannot open it"
    )
    assert (item.subject, item.needed_by) == ("libz.so.1", "python3")


def test_a_huge_log_is_read_in_bounded_time() -> None:
    assert failures_from_logs("'" * 3_000_000 + "\n" + "x: " * 500_000) == ()
