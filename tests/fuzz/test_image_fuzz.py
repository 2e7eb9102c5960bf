"""Random and damaged images: a right answer or a clear error, never anything else.

`make fuzz` runs many more examples (IMGOPT_FUZZ) than a plain test run does.
"""

from __future__ import annotations

import contextlib
import io
import itertools
import json
import os
import posixpath
import tarfile
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from image.crafting import blob_name, digest, oci_files, packed, tar, write_directory

from imgopt.analysis import analyze
from imgopt.errors import ImgoptError
from imgopt.image import ledger, open_image
from imgopt.image.aufs import OWN
from imgopt.image.blobs import Region
from imgopt.image.config import parse_config
from imgopt.image.conformance import check_image_source
from imgopt.image.contents import TarContents
from imgopt.image.image import Image
from imgopt.image.layer import Layer
from imgopt.image.memory import Memory
from imgopt.image.tar import read_entries
from imgopt.results import to_json

EXAMPLES = int(os.environ.get("IMGOPT_FUZZ", "100"))
fuzz = settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))

PARTS = (
    "a",
    "b",
    "usr",
    "lib",
    ".wh.a",
    ".wh.usr",
    ".wh..wh..opq",
    "..",
    ".",
    "",
    "é",
    "\udcff",
    "x" * 120,
)
PATHS = st.sampled_from(
    ["/".join(parts) for length in (1, 2, 3) for parts in itertools.product(PARTS, repeat=length)]
)
"""One choice per path, not one per part: generating took most of the time."""
MODES = st.sampled_from([0o644, 0o755, 0, 0o4711, 0o7777])
KINDS = st.sampled_from(
    [
        tarfile.REGTYPE,
        tarfile.DIRTYPE,
        tarfile.SYMTYPE,
        tarfile.LNKTYPE,
        tarfile.CHRTYPE,
        tarfile.FIFOTYPE,
    ]
)


@st.composite
def members(draw: st.DrawFn) -> tuple[tarfile.TarInfo, bytes]:
    member = tarfile.TarInfo(draw(PATHS))
    member.type = draw(KINDS)
    member.mode, member.uid = draw(MODES), draw(st.sampled_from([0, 1000, 2**21 + 5]))
    member.mtime = draw(st.sampled_from([0, 1, 2**33, 1.5]))
    contents = draw(st.binary(max_size=700)) if member.type == tarfile.REGTYPE else b""
    member.size, member.linkname = len(contents), draw(PATHS)
    return member, contents


TARS = st.builds(
    lambda items, kind: tar(*items, format=kind),
    st.lists(members(), max_size=12),
    st.sampled_from([tarfile.PAX_FORMAT, tarfile.GNU_FORMAT]),
)


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    data = bytearray(draw(TARS))
    for _ in range(draw(st.integers(1, 4))):
        position = draw(st.integers(0, max(0, len(data) - 1)))
        data[position : position + draw(st.integers(0, 3))] = draw(st.binary(max_size=12))
    return bytes(data[: draw(st.integers(0, len(data)))])


@fuzz
@given(st.one_of(damaged(), st.binary(max_size=3000)))
def test_no_bytes_break_the_tar_reader(data: bytes) -> None:
    with contextlib.suppress(ImgoptError):
        for entry in read_entries(data, 0, len(data)):
            assert entry.path.startswith("/")
            assert 0 <= entry.size <= len(data)


@fuzz
@given(TARS)
def test_what_tarfile_writes_is_read_as_tarfile_reads_it(data: bytes) -> None:
    with tarfile.open(fileobj=io.BytesIO(data), errors="surrogateescape") as archive:
        expected = [
            (
                member.size if member.isreg() else 0,
                member.mode,
                member.uid,
                member.offset_data if member.isreg() else 0,
            )
            for member in archive
            if not _is_a_mark(posixpath.normpath(f"/{member.name}"))
        ]
    try:
        found = read_entries(data, 0, len(data))
    except ImgoptError as error:
        assert "the root" in str(error)
        return
    kept = [each for each in found if each.kind not in ("whiteout", "opaque")]
    assert [(e.size, e.mode, e.uid, e.offset if e.kind == "file" else 0) for e in kept] == expected


def _is_a_mark(path: str) -> bool:
    """What says that something is deleted, and what AUFS keeps for itself with all that is below."""
    return path.rpartition("/")[2].startswith(".wh.") or path.startswith(OWN)


def image_of(layers: list[bytes]) -> Image:
    document = {
        "rootfs": {"diff_ids": [digest(layer) for layer in layers]},
        "os": "linux",
        "architecture": "amd64",
    }
    parsed = parse_config(json.dumps(document).encode(), "fuzz")
    memory = Memory(None)
    made = []
    for number, data in enumerate(layers):
        contents = TarContents(lambda data=data: Region(data, 0, len(data)), None, "layer")  # type: ignore[misc]
        made.append(Layer(number, digest(data), contents, memory))
    return Image("fuzz", "archive", parsed, tuple(made), memory)


@fuzz
@given(st.lists(TARS, min_size=1, max_size=4))
def test_the_ledger_sums_whatever_the_layers_do_to_each_other(layers: list[bytes]) -> None:
    image = image_of(layers)
    try:
        found = ledger(image)
    except ImgoptError as error:
        assert "the root" in str(error)
        return
    assert found.payload == sum(layer.payload_bytes for layer in image.layers)
    assert all(size >= 0 for classes in found.layers for size in classes.values())
    check_image_source(image)
    assert "imgopt/analysis/1" in to_json(analyze(image))


WORDS = (
    "manifests config layers digest size mediaType platform annotations Config Layers RepoTags rootfs diff_ids history "
    "os architecture schemaVersion urls Env Cmd Healthcheck x"
)
KEYS = st.sampled_from(WORDS.split())
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.text(max_size=8),
    st.sampled_from(["sha256:" + "0" * 64, "linux"]),
)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=5)),
    max_leaves=12,
)


@fuzz
@given(st.sampled_from(["index.json", "manifest.json", "manifest", "config"]), JSON)
def test_no_manifest_breaks_the_readers(which: str, value: Any) -> None:
    layer = tar()
    data = json.dumps(value).encode()
    raw = data if which == "config" else None
    files = oci_files([layer], raw)
    if which.endswith(".json"):
        files[which] = data
        if which == "manifest.json":
            del files["index.json"]
    elif which == "manifest":
        files[blob_name(data)] = data
        entry = {"digest": digest(data), "size": len(data)}
        files["index.json"] = json.dumps({"manifests": [entry]}).encode()
    with tempfile.TemporaryDirectory() as folder, contextlib.suppress(ImgoptError):
        image = open_image(str(write_directory(Path(folder), files)), memory=Memory(None))
        analyze(image)


@fuzz
@given(TARS, st.sampled_from(["gzip", "zstd", "multi-gzip"]), st.data())
def test_no_damage_to_a_compressed_layer_goes_unnoticed(
    layer: bytes, compress: str, data: st.DataObject
) -> None:
    blob = bytearray(packed(layer, compress))
    position = data.draw(st.integers(0, len(blob) - 1))
    blob[position] ^= data.draw(st.integers(1, 255))
    cut = bytes(blob[: data.draw(st.integers(1, len(blob)))])
    contents = TarContents(lambda: Region(cut, 0, len(cut)), digest(layer), "layer")
    with contextlib.suppress(ImgoptError):
        assert contents.index().entries == read_entries(layer, 0, len(layer))
