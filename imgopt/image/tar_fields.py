"""Fields of a tar header and of its extended attributes."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator

Xattrs = tuple[tuple[str, bytes], ...]
BLOCK = 512
_ADLER = 65521
_OCTAL = re.compile(rb"[0-7]+")


def sum_holds(block: bytes) -> bool:
    """Whether a header's checksum is that of its other bytes."""
    field = block[148:156]
    wanted = field.strip(b" \0").partition(b"\0")[0]
    # the low half of Adler-32 is the sum of all bytes, modulo 65521, and one: far faster than
    # sum()
    found = (zlib.adler32(block) & 0xFFFF) - 1 - sum(field) + 8 * 32
    return bool(_OCTAL.fullmatch(wanted)) and not (found - int(wanted, 8)) % _ADLER


def ustar_name(fields: tuple[bytes, ...]) -> bytes:
    name = fields[0].partition(b"\0")[0]
    if fields[7] == b"ustar\0" and fields[8][0]:
        return fields[8].partition(b"\0")[0] + b"/" + name
    return name


def padded(size: int) -> int:
    return (size + BLOCK - 1) & -BLOCK


def nanoseconds(value: bytes) -> int:
    seconds, _, fraction = value.decode("ascii", "replace").partition(".")
    try:
        return int(seconds[:20]) * 1_000_000_000 + int((fraction + "000000000")[:9])
    except ValueError:
        return 0


def xattrs_of(pax: dict[str, bytes]) -> Xattrs:
    prefix = "SCHILY.xattr."
    return tuple(
        sorted((key[len(prefix) :], value) for key, value in pax.items() if key.startswith(prefix))
    )


def pax_records(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Raises ValueError for what is none."""
    position = 0
    while position < len(data):
        space = data.find(b" ", position, position + 20)
        digits = data[position:space] if space > position else b""
        length = int(digits) if digits.isdigit() else 0
        record = data[space + 1 : position + length]
        key, equals, value = record[:-1].partition(b"=")
        if space < 0 or length <= space - position or not equals or record[-1:] != b"\n":
            if not data[position:].strip(b"\0"):
                return
            raise ValueError("has a damaged PAX record")
        yield key.decode("utf-8", "surrogateescape"), value
        position += length
