"""Which files are Dockerfiles, by their names: those that `docker build` and people use, and no
templates of them."""

from __future__ import annotations

import re

_NAMES = re.compile(
    r"(?:Dockerfile|Containerfile)(?:[._-].+)?|.+\.(?:dockerfile|containerfile)", re.IGNORECASE
)
_OTHERS = re.compile(
    r"\.(?:(?:docker|container)ignore|md|rst|orig|bak|rej|sw[op]|sh|py|js|ts|go|json|lock)",
    re.IGNORECASE,
)
_TEMPLATES = re.compile(
    r"\.(?:j2|jinja2?|tmpl|tpl|template|erb|ejs|mustache|hbs|handlebars|gotmpl|in|m4)",
    re.IGNORECASE,
)


def is_template(name: str) -> bool:
    """A file that something else makes Dockerfiles of.

    >>> is_template("Dockerfile.j2"), is_template("Dockerfile.prod")
    (True, False)
    """
    return _ends_with(_TEMPLATES, name)


def is_dockerfile(name: str) -> bool:
    """
    >>> [is_dockerfile(name) for name in ("Dockerfile-dev", "web.dockerfile", "a.dockerignore")]
    [True, True, False]
    """
    return (
        _NAMES.fullmatch(name) is not None
        and not _ends_with(_OTHERS, name)
        and not is_template(name)
    )


def _ends_with(endings: re.Pattern[str], name: str) -> bool:
    at = name.rfind(".")
    return at > 0 and endings.fullmatch(name, at) is not None
