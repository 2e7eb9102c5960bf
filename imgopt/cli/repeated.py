"""What a command was given, as words for the next one: so that a line that is shown can be pasted
as it is."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from imgopt.cli.options import BuildOptions, RequestOptions, SmokeOptions

_CREDENTIALS = re.compile(r"://[^/\s:@]*:[^/\s@]+@")


def build_words(context: str | Path, options: BuildOptions) -> list[str]:
    """The context and the options of the build, as far as they were given. Values of secrets are
    left out: a NAME alone takes its value from the environment."""
    words = [str(context)]
    single = (
        ("-f", options.file),
        ("--config", options.config),
        ("--target", options.target),
        ("--platform", options.platform),
        ("--network", options.network),
        ("--service", options.service),
        ("--bake-target", options.bake_target),
    )
    for option, value in single:
        words += [option, str(value)] if value else []
    words += _each("--build-arg", map(without_secret, options.build_arg or ()))
    words += _each("--base", options.base or ())
    words += _each("--secret", options.secret or ())
    return words + _each("--ssh", options.ssh or ())


def run_words(options: SmokeOptions) -> list[str]:
    """The options of how the image is run, as far as they were given."""
    words = _each("--port", map(str, options.port or ()))
    words += _each("--http", options.http or ())
    words += _each("--run", options.run or ())
    words += _each("--env", map(without_secret, options.env or ()))
    return words + (["--env-file", str(options.env_file)] if options.env_file else [])


def request_words(options: RequestOptions) -> list[str]:
    """The options of what is asked, as far as they were given."""
    words = ["--requests", str(options.requests)] if options.requests else []
    words += ["--tests", options.tests] if options.tests else []
    return words + (["--no-writes"] if options.no_writes else [])


def _each(option: str, values: Iterable[str]) -> list[str]:
    return [word for value in values for word in (option, value)]


def without_secret(word: str) -> str:
    """NAME=VALUE, or NAME alone where the value looks like a secret or carries one."""
    from imgopt.inspect.redact import is_secret_name

    name, equals, value = word.partition("=")
    secret = value and (is_secret_name(name) or _CREDENTIALS.search(value))
    return name if equals and secret else word
