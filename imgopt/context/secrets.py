"""Files that hold secrets, by their names and by what is in them: of a build context, and of an
image. Contents never leave this module.

A name alone says it only where there is no other reason for such a file. Examples, public
certificates and the keys of tests are none.
"""

from __future__ import annotations

import re
from collections.abc import Callable

_ASIDE = re.compile(
    r"(?:^|/)(?:tests?|testdata|fixtures?|__tests__|__fixtures__|specs?|examples?|samples?|docs?|mocks?|node_modules|vendor"
    r"|third_party|site-packages|dist-packages)/",
    re.IGNORECASE,
)
_EXAMPLE = re.compile(
    r"(?:^|[._-])(?:example|sample|template|tmpl|dist|(?<!application_)defaults?|schema|tests?|ci|j2|tpl|erb|vault)"
    r"(?:[._-]|$)",
    re.IGNORECASE,
)
_ENV = re.compile(r"\.env(?:\..+)?|.+\.env|\.envrc|\.flaskenv")
_KEY = re.compile(
    r"id_(?:rsa|dsa|ecdsa|ed25519)|.+\.(?:pem|key|p8|ppk|priv)|.*private.*key.*", re.IGNORECASE
)
_STORE = re.compile(
    r"(?!.*(?:trust|cacerts|debug)).+\.(?:p12|pfx|jks|keystore|bcfks|kdbx)", re.IGNORECASE
)
_LITERAL = r"""[^\s"'$<{%*]"""
_PATTERNS: tuple[tuple[re.Pattern[str], re.Pattern[str], str], ...] = tuple(
    (re.compile(name, re.I), re.compile(text, re.I | re.M), what)
    for name, text, what in (
        (
            r"(?:^|/)\.npmrc$",
            rf"(?:_authToken|_auth|_password)\s*=\s*[\"']?{_LITERAL}",
            "a registry's token",
        ),
        (
            r"(?:^|/)\.yarnrc\.yml$",
            rf"npmAuth(?:Token|Ident):\s*[\"']?{_LITERAL}",
            "a registry's token",
        ),
        (r"(?:^|/)\.pypirc$", rf"^\s*password\s*[=:]\s*{_LITERAL}", "an index's password"),
        (r"(?:^|/)[._]netrc$", rf"\bpassword\s+{_LITERAL}", "passwords of hosts"),
        (r"(?:^|/)\.git-credentials$", r"://[^\s:@]+:[^\s@]+@", "passwords of hosts"),
        (
            r"(?:^|/)\.git/config$",
            r"://[^\s:@/]+(?::[^\s@]+)?@|extraheader\s*=\s*AUTHORIZATION",
            "a token of git's remote",
        ),
        (r"(?:^|/)\.pgpass$", r"^[^#\s]+:[^:\s]+$", "a database's password"),
        (r"(?:^|/)\.my\.cnf$", rf"^\s*password\s*=\s*[\"']?{_LITERAL}", "a database's password"),
        (
            r"(?:^|/)(?:\.docker/config\.json|\.dockercfg|config\.json\.docker)$",
            r"\"(?:auth|identitytoken)\"\s*:\s*\"\w",
            "a registry's password",
        ),
        (
            r"(?:^|/)\.aws/credentials$",
            r"aws_secret_access_key\s*=\s*\S",
            "keys of a cloud account",
        ),
        (
            r"(?:^|/)(?:\.kube/config|.*kubeconfig[^/]*)$",
            r"client-key-data:\s*\S|^\s*token:\s*\S|password:\s*\S",
            "keys of a cluster",
        ),
        (
            r"(?:service|account|credential|key|gcp|google|firebase|secret|auth)[^/]*\.json$",
            r"\"private_key\"\s*:\s*\"-----BEGIN|\"type\"\s*:\s*\"service_account\"",
            "the key of a service account",
        ),
        (
            r"(?:^|/)(?:[^/]*credentials|client_secret[^/]*|token)\.json$",
            r"\"(?:client_secret|refresh_token|access_token|password)\"\s*:\s*\"[^\"$<{]",
            "credentials of an account",
        ),
        (
            r"\.tfstate(?:\.backup)?$",
            r"\"(?:resources|outputs|modules)\"",
            "a Terraform state, which holds secrets in clear",
        ),
        (
            r"\.tfvars(?:\.json)?$",
            rf"^\s*\"?\w*(?:password|secret|token|access_key|private_key)\w*\"?\s*[=:]\s*\"{_LITERAL}",
            "secrets of Terraform",
        ),
        (
            r"(?:^|/)(?:master|production)\.key$",
            r"^[0-9a-f]{32}\s*$",
            "the key of encrypted credentials",
        ),
        (r"(?:^|/)\.?vault[-_](?:token|pass(?:word)?)[^/]*$", r"\S", "a vault's token"),
        (
            r"(?:^|/)(?:secrets?|credentials)\.(?:ya?ml|toml|json)$",
            rf"(?:password|secret|token|api_?key|private_?key)\w*[\"']?\s*[:=]\s*[\"']?{_LITERAL}{{6}}",
            "secrets of the service",
        ),
        (
            r"(?:^|/)settings\.xml$",
            r"<(?:password|passphrase)>\s*[^<${\s]",
            "a repository's password",
        ),
        (r"(?:^|/)nuget\.config$", r"ClearTextPassword", "a feed's password"),
        (
            r"(?:^|/)(?:pip\.conf|auth\.json)$",
            r"://[^\s/:@$]+:[^\s/@$]+@|\"(?:password|token|github-oauth)\"",
            "an index's password",
        ),
        (r"(?:^|/)\.htpasswd$", r":\S", "password hashes"),
    )
)
_HARMLESS = re.compile(
    r"(?:NEXT_PUBLIC|VITE|REACT_APP|PUBLIC|NUXT_PUBLIC|EXPO_PUBLIC|VUE_APP|GATSBY|COMPOSE|DOCKER)_.*"
    r"|PORT|HOST|NAME|ENV|MODE|TZ|LANG|DEBUG|FLASK_(?:APP|ENV|DEBUG|RUN_.*)|.*_?(?:ENV|PORT|HOST|HOSTNAME|LEVEL|DIR|PATH|ENABLED|TIMEOUT|NAME|USER|VERSION|REGION|MODE|DEBUG|URL"
    r"|URI|EMAIL|DOMAIN|TAG|IMAGE|WORKERS|THREADS|SIZE|LIMIT|COUNT|FORMAT|ORIGINS?|HOSTS|LOCALE|DATABASE|DB|PROJECT|BUCKET)",
    re.IGNORECASE,
)
_ASSIGNMENT = re.compile(
    r"^[ \t]*(?:export[ \t]+)?([A-Za-z_]\w*)[ \t]*=[ \t]*([\"']?)([^\r\n]*)$", re.MULTILINE
)
_PLACEHOLDER = re.compile(
    r"(?:\s|#.*|[\"'])*|<.*|\$.*|\{.*|%.*|x{3,}.*|\*+.*|(?:your|my|the)[-_ ].*|change[-_"
    r" ]?(?:me|this|it).*"
    r"|replace.*|todo.*|example.*|placeholder.*|true|false|yes|no|null|none|\d{1,5}|development|production|test|localhost.*",
    re.IGNORECASE,
)


_LIKELY = re.compile(
    r"\.env.*|.+\.env|\.flaskenv|id_(?:rsa|dsa|ecdsa|ed25519)|.*private.*key.*|\.npmrc|\.yarnrc\.yml|\.pypirc|[._]netrc|\.pgpass"
    r"|\.git-credentials|config|\.my\.cnf|config\.json.*|\.dockercfg|credentials|.*kubeconfig.*|\.?vault[-_].*|settings\.xml|pip\.conf"
    r"|nuget\.config|\.htpasswd|.+\.(?:pem|key|p8|ppk|priv|p12|pfx|jks|keystore|bcfks|kdbx|tfstate|backup|tfvars)|.*tfvars\.json"
    r"|.*(?:service|account|credential|key|gcp|google|firebase|secret|auth|token).*\.(?:json|ya?ml|toml)",
    re.IGNORECASE,
)


def is_likely(name: str) -> bool:
    """Whether a file of this name is worth a look: most names of a context are done with here."""
    return _LIKELY.fullmatch(name) is not None


def secret_in(path: str, read: Callable[[], str]) -> str:
    """What a file holds that is a secret, in words; "" where it holds none. `read` gives its first
    characters.

    >>> secret_in(".env", lambda: "STRIPE_KEY=sk_live_1")
    'passwords or keys of the service'
    >>> secret_in(".env.example", lambda: "STRIPE_KEY=sk_live_1")
    ''
    """
    name = path[path.rfind("/") + 1 :]
    if _ASIDE.search(path):
        return ""
    if _ENV.fullmatch(name):
        return (
            "passwords or keys of the service"
            if not _EXAMPLE.search(name) and _has_values(read())
            else ""
        )
    if _EXAMPLE.search(name):
        return ""
    if _KEY.fullmatch(name) and "PRIVATE KEY-----" in read():
        return "a private key"
    if _STORE.fullmatch(name):
        return "a store of keys"
    return next(
        (what for names, text, what in _PATTERNS if names.search(path) and text.search(read())), ""
    )


def _has_values(text: str) -> bool:
    for name, _, value in _ASSIGNMENT.findall(text):
        if re.search(r"://[^\s/:@$]+:[^\s/@$]+@", value):
            return True
        if not _HARMLESS.fullmatch(name) and not _PLACEHOLDER.fullmatch(value.strip().strip("\"'")):
            return True
    return False


_SECRET_NAME = re.compile(
    r".*(?:pass(?:word|wd|phrase)|secret|token|api_?key|private_?key|access_?key|credentials?)"
    r"(?:_?\d+)?",
    re.IGNORECASE,
)
_IN_ADDRESS = re.compile(r"://[^\s/:@$]+:([^\s/@$]+)@")


def secret_setting(name: str, value: str) -> bool:
    """Whether a setting of this name has a secret for its value: a password or a key by its name,
    or one inside of an address. What is to be filled in is none.

    >>> secret_setting("DB_PASSWORD", "hunter2plus"), secret_setting("DB_PASSWORD", "<yours>")
    (True, False)
    """
    found = _IN_ADDRESS.search(value)
    if found is not None:
        return not _PLACEHOLDER.fullmatch(found[1])
    plain = value.strip().strip("\"'")
    named = _SECRET_NAME.fullmatch(name.replace("-", "_").replace(".", "_")) is not None
    return named and not plain.startswith("/") and not _PLACEHOLDER.fullmatch(plain)
