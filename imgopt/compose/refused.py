"""How a file that cannot be read is told apart from one whose surroundings are not there."""

from __future__ import annotations

from imgopt.errors import InputError


class Lacking(InputError):
    """The files are sound, but what they take from outside is not there: an `env_file`, a secret's
    file, or a variable that leaves a gap."""
