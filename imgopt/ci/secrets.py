"""Files that look as if they held a secret: by name, and where the name alone says too little, by
their first bytes."""

from __future__ import annotations

import re

from imgopt.image import Entry, Layer

_BY_NAME = re.compile(
    r"/(?:\.env(?:\.(?!example$|sample$|template$|dist$|defaults?$)[\w.-]+)?|\.netrc|\.git-credentials|\.pgpass"
    r"|\.my\.cnf|id_(?:rsa|dsa|ecdsa|ed25519)|\.htpasswd|terraform\.tfstate(?:\.backup)?|.+\.(?:p12|pfx|jks|keystore|kdbx)"
    r"|\.aws/credentials|\.docker/config\.json|\.kube/config|\.config/gcloud/[^/]*credentials[^/]*\.(?:json|db))$"
)
_BY_CONTENT = re.compile(
    r"/(?:\.npmrc|\.yarnrc\.yml|\.pypirc|pip\.conf|[^/]+\.(?:pem|key)"
    r"|[^/]*(?:service.?account|credential)[^/]*\.json)$"
)
_CONTENT = re.compile(
    rb"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY|_authToken\s*=\s*[^\s$]|npmAuthToken\s*:\s*[^\s$]"
    rb"|^\s*password\s*[=:]\s*[^\s$]|https?://[^/\s:@]+:[^/\s@$]+@|\"private_key\"\s*:",
    re.MULTILINE,
)  # fmt: skip
_PACKAGED = re.compile(
    r"^/usr/(?:lib|share|local/lib)/.*/(?:tests?|testing|test_data|cacert|certifi)/|/(?:cacert|ca-bundle)\.pem$"
)
_KEYSTORE = re.compile(r"/(?:cacerts|default\.jks)$")
_LIMIT = 64 << 10


def looks_secret(layer: Layer, entry: Entry) -> bool:
    """Reads at most the first 64 KiB, and only of files whose name asks for it. Empty files hold no
    secret."""
    if not entry.size or _PACKAGED.search(entry.path) or _KEYSTORE.search(entry.path):
        return False
    if _BY_NAME.search(entry.path):
        return True
    return bool(_BY_CONTENT.search(entry.path)) and bool(_CONTENT.search(layer.read(entry, _LIMIT)))
