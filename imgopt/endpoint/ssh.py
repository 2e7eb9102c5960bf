"""How an engine behind ssh is reached: by the user's own `ssh`, as the docker CLI does it."""

from __future__ import annotations

from urllib.parse import urlsplit


def ssh_command(host: str) -> list[str]:
    """As docker/cli `connhelper/ssh`. Raises ValueError for an address without a host."""
    parts = urlsplit(host)
    if not parts.hostname or parts.password or parts.query:
        raise ValueError("after ssh:// comes [USER@]HOST[:PORT] and no more")
    words = ["ssh", "-o", "ConnectTimeout=30", "-T"]
    words += ["-l", parts.username] if parts.username else []
    words += ["-p", str(parts.port)] if parts.port else []
    remote = ["docker", "--host", f"unix://{parts.path}"] if parts.path.strip("/") else ["docker"]
    return [*words, "--", parts.hostname, *remote, "system", "dial-stdio"]
