"""Findings over a registry of 300 images whose truth is known: every figure is exact."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from registry_server import Content, Layer, Server, layer, packed
from scanning import scanned

from imgopt.fleet.findings.database import Database
from imgopt.fleet.findings.report import Settings, examine
from imgopt.fleet.findings.weights import View
from imgopt.fleet.scan.scan import Done
from imgopt.fleet.scan.store import Store
from imgopt.fleet.scan.tables import write_fleet
from imgopt.image.recipe import File, Files, layer_tar, with_packages
from imgopt.report import render
from imgopt.results.registry import Missed, RegistryResult, Scanned

NOW = datetime(2026, 11, 1, tzinfo=UTC)
OS = 'ID=debian\nVERSION_ID="12"\n'


def examined(server: Server, folder: Path, done: Done, **settings: Any) -> RegistryResult:
    view = View(done.fleet)
    with Store(folder) as store:
        write_fleet(folder / "tables", done.fleet, done.facts, view.team)
        with Database(store) as database:
            facts = {**done.facts, **done.unreached}
            return examine(
                view, facts, database, Settings(NOW, **settings), [server.host], Scanned()
            )


def looked_at(server: Server, folder: Path, **options: Any) -> RegistryResult:
    return examined(server, folder, scanned(server, folder, **options))


def base(date: str, size: int = 60_000) -> Layer:
    """A Debian of one day: a library differs, the rest does not."""
    files: Files = {
        "/etc/os-release": OS,
        "/bin/sh": File(b"sh" * 9000, 0o755),
        "/usr/lib/libc.so": f"{date}".encode() + b"c" * size,
    }
    return layer(with_packages({"libc6": ("/usr/lib/libc.so",)}, files))


def noise(name: str, size: int) -> bytes:
    """The same for a name, and nothing that a codec makes smaller."""
    import random

    return random.Random(name).randbytes(size)


JANUARY, JUNE = base("2026-01"), base("2026-06")
DEPENDENCIES: Files = {
    f"/usr/lib/python3/site-packages/dep/{number}.py": noise(f"dep{number}", 3000)
    for number in range(10)
}


def at(files: Files, mtime: int) -> Files:
    return {path: File(data, mtime=mtime) for path, data in files.items()}  # type: ignore[arg-type]


def turned(files: Files) -> Files:
    return dict(reversed(list(files.items())))


def one_group(content: Content, server: Server, tmp_path: Path, *layers: Layer) -> Missed:
    for number, each in enumerate(layers):
        content.push(f"team{number}/app", "1", [("ADD base", JANUARY), ("RUN install", each)])
    result = looked_at(server, tmp_path)
    assert len(result.missed) == 1
    return result.missed[0]


STATE = "/var/log/apt/term.log"
CAUSES = {
    "time stamps": (layer(at(DEPENDENCIES, 5)), layer(at(DEPENDENCIES, 6))),
    "order": (layer(DEPENDENCIES), layer(turned(DEPENDENCIES))),
    "lists": (
        layer({**DEPENDENCIES, "/var/lib/apt/lists/x": "1"}),
        layer({**DEPENDENCIES, "/var/lib/apt/lists/x": "22"}),
    ),
    "lists, one without": (layer({**DEPENDENCIES, STATE: "log"}), layer(DEPENDENCIES)),
    "owners": (
        layer({path: File(data, uid=1) for path, data in DEPENDENCIES.items()}),  # type: ignore[arg-type]
        layer({path: File(data, uid=2) for path, data in DEPENDENCIES.items()}),  # type: ignore[arg-type]
    ),
    "compression": (packed(layer_tar(DEPENDENCIES)), packed(layer_tar(DEPENDENCIES), "zstd")),
    "compression, other level": (
        packed(layer_tar(DEPENDENCIES), level=1),
        packed(layer_tar({**DEPENDENCIES}), level=0),
    ),
}


@pytest.mark.parametrize("name", CAUSES)
def test_the_cause_of_missed_sharing_is_told(
    content: Content, server: Server, tmp_path: Path, name: str
) -> None:
    first, second = CAUSES[name]
    group = one_group(content, server, tmp_path, first, second)
    assert group.causes == [name.partition(",")[0]]
    assert group.saved_bytes == min(len(first.data), len(second.data))
    assert group.instructions == ["RUN install"] and group.reasons == ["built again"]
    assert group.repositories == [f"{server.host}/team0/app", f"{server.host}/team1/app"]


def test_layers_with_other_files_are_no_missed_sharing(
    content: Content, server: Server, tmp_path: Path
) -> None:
    more = {**DEPENDENCIES, "/usr/lib/more": "x"}
    moved = {path.replace("/dep/", "/pre/"): data for path, data in DEPENDENCIES.items()}
    linked = {**DEPENDENCIES, "/usr/lib/link": File(link="a")}
    for number, files in enumerate((DEPENDENCIES, more, moved, linked)):
        content.push(f"team{number}/app", "1", [("RUN install", layer(files))])
    assert looked_at(server, tmp_path).missed == []


def test_empty_layers_are_no_missed_sharing(
    content: Content, server: Server, tmp_path: Path
) -> None:
    for number in range(2):
        folder = layer({"/app": File(folder=True, mtime=number)})
        content.push(f"team{number}/app", "1", [("WORKDIR /app", folder)])
    assert looked_at(server, tmp_path).missed == []


@pytest.mark.parametrize("reason", ["another base", "another step before", "built again"])
def test_the_reason_of_missed_sharing_is_told(
    content: Content, server: Server, tmp_path: Path, reason: str
) -> None:
    for number, debian in enumerate((JANUARY, JUNE)):
        content.push(f"base/debian{number}", "1", [("ADD os", debian)])
    for number in range(2):
        below = [("ADD os", JUNE if number and reason == "another base" else JANUARY)]
        if reason == "another step before":
            below.append(("COPY x", layer({"/x": str(number)})))
        again = ("RUN install", layer(at(DEPENDENCIES, number)))
        content.push(f"team{number}/app", "1", [*below, again])
    assert [group.reasons for group in looked_at(server, tmp_path).missed] == [[reason]]


def test_the_matrix_has_what_two_repositories_both_have(
    content: Content, server: Server, tmp_path: Path
) -> None:
    first, second = layer(at(DEPENDENCIES, 5)), layer(at(DEPENDENCIES, 6))
    for name, each in (("a", first), ("b", second), ("c", second)):
        content.push(f"{name}/app", "1", [("RUN install", each)])
    result = looked_at(server, tmp_path)
    smaller = min(len(first.data), len(second.data))
    host = f"{server.host}/"
    cells = {
        (one.first.removeprefix(host), one.second.removeprefix(host)): one.bytes
        for one in result.matrix
    }
    assert cells == {("a/app", "b/app"): smaller, ("a/app", "c/app"): smaller}


TORCH = {
    f"/opt/venv/lib/python3.12/site-packages/torch/lib/{number}.so": noise(
        f"torch{number}", 700_000
    )
    for number in range(3)
}


def test_a_large_tree_in_layers_of_several_images_is_found_once(
    content: Content, server: Server, tmp_path: Path
) -> None:
    for number in range(3):
        own = layer({**TORCH, f"/opt/venv/{number}": noise(f"own{number}", 90_000)})
        content.push(f"team{number}/app", "1", [("RUN pip install torch", own)])
    result = looked_at(server, tmp_path)
    assert [(one.name, one.files, one.bytes, one.copies, one.images) for one in result.trees] == [
        ("PyTorch", 3, 2_100_000, 3, 3)
    ]
    assert result.trees[0].path == "/opt/venv/lib/python3.12/site-packages/torch/lib"
    found = next(one for one in result.findings if one.id == "duplicate-tree")
    assert found.bytes == 4_200_000 and "torch" in found.command


def test_what_is_the_same_as_a_whole_is_no_tree_beside(
    content: Content, server: Server, tmp_path: Path
) -> None:
    for number in range(2):
        content.push(f"team{number}/app", "1", [("RUN pip", layer(at(TORCH, number)))])
    result = looked_at(server, tmp_path)
    assert len(result.missed) == 1 and result.trees == []


def test_the_fewest_bases_serve_all_and_none_that_has_less(
    content: Content, server: Server, tmp_path: Path
) -> None:
    plain = {"/etc/os-release": OS, "/bin/sh": File("sh", 0o755)}
    with_git = {**plain, "/usr/bin/git": File("git", 0o755)}
    bases = {
        "debian:1": layer(with_packages({"libc6": ()}, {**plain, "/old": "1"})),
        "debian:2": layer(with_packages({"libc6": ()}, {**plain, "/new": "2"})),
        "tools:1": layer(with_packages({"libc6": (), "git": ()}, with_git)),
        "alpine:3": layer({"/etc/os-release": "ID=alpine\n", "/bin/sh": File("ash", 0o755)}),
        "python:3": layer(
            {**with_packages({"libc6": ()}, plain), "/usr/local/bin/python": File("py", 0o755)}
        ),
    }
    for number, (name, each) in enumerate(bases.items()):
        repository, _, tag = name.partition(":")
        made = f"2026-0{number + 1}-01T00:00:00Z"
        content.push(f"base/{repository}", tag, [("ADD os", each)], created=made)
        for copy in range(2):
            own = layer({f"/app/{number}-{copy}": "x"})
            content.push(
                f"team/{repository}{tag}{copy}", "1", [("ADD os", each), ("COPY app", own)]
            )
    result = looked_at(server, tmp_path)
    host = f"{server.host}/base/"
    chosen = {one.name.removeprefix(host): one.serves for one in result.bases if one.chosen}
    assert chosen == {"python:3": 6, "tools:1": 2, "alpine:3": 2}
    assert len(result.bases) == 5
    found = next(one for one in result.findings if one.id == "few-bases")
    assert found.bytes == sum(len(bases[name].data) for name in ("debian:1", "debian:2"))


def test_dates_of_one_base_are_told_with_what_a_rebase_gives(
    content: Content, server: Server, tmp_path: Path
) -> None:
    for date, each in (("2026-01", JANUARY), ("2026-06", JUNE)):
        made = f"{date}-01T00:00:00Z"
        content.push("base/debian", date, [("ADD os", each)], created=made)
        for copy in range(2):
            own = layer({f"/app/{date}-{copy}": "x"})
            content.push(f"team/{date}{copy}", "1", [("ADD os", each), ("COPY app", own)])
    result = looked_at(server, tmp_path)
    found = next(one for one in result.findings if one.id == "rebase")
    assert found.images == 2 and "base/debian:2026-06" in found.message
    old = [one for one in result.findings if one.id == "old-base"]
    assert len(old) == 1 and "304 days old" in old[0].message and old[0].images == 2


def test_users_secrets_and_special_files(content: Content, server: Server, tmp_path: Path) -> None:
    files: Files = {
        "/root/.aws/credentials": "key",
        "/usr/share/doc/.npmrc": "no",
        "/bin/mine": File("x", 0o4755),
        **with_packages({"passwd": ("/bin/su",)}, {"/bin/su": File("su", 0o4755)}),
    }
    env = ["API_TOKEN=s3cr3t-value", "EMPTY_PASSWORD=", "PATH=/bin"]
    content.push("pay/api", "1", [("COPY all", layer(files))], config={"Env": env})
    content.push("pay/other", "1", [("COPY b", layer({"/b": "b"}))], config={"User": "65532"})
    result = looked_at(server, tmp_path)
    found = {one.id: one for one in result.findings}
    assert "1 of 2 images run as root" in found["root"].message
    assert "/root/.aws/credentials" in found["secret-files"].message
    assert ".npmrc" not in found["secret-files"].message
    assert found["setuid"].message.startswith("1 setuid") and "/bin/mine" in found["setuid"].message
    assert found["secret-variables"].message.endswith("API_TOKEN")
    assert found["root"].teams == ["pay"]
    for format in ("text", "json", "markdown", "html", "csv"):
        assert "s3cr3t-value" not in render(result, format)


def test_waste_by_class_and_what_later_layers_hide(
    content: Content, server: Server, tmp_path: Path
) -> None:
    lower = layer(
        {"/a": "x" * 1000, "/d/one": "y" * 500, "/d/two": "z" * 70, "/var/cache/apt/p": "p" * 300}
    )
    upper = layer({"/a": "x" * 10, "/.wh.d": ""})
    opaque = layer({"/d/.wh..wh..opq": "", "/d/three": "3"})
    content.push("a", "1", [("RUN 1", lower), ("RUN 2", upper)])
    content.push("b", "1", [("RUN 1", lower), ("RUN 3", opaque)])
    content.push("c", "1", [("RUN 1", lower)])
    rows = {one.kind: one for one in looked_at(server, tmp_path).waste}
    assert (rows["package-lists"].bytes, rows["package-lists"].shipped_bytes) == (300, 900)
    assert (rows["overwritten"].bytes, rows["overwritten"].shipped_bytes) == (1000, 1000)
    assert (rows["deleted"].bytes, rows["deleted"].shipped_bytes) == (570, 1140)


def test_images_that_nobody_pulled_and_tags_that_are_old(
    content: Content, server: Server, tmp_path: Path
) -> None:
    layers = [layer({f"/{number}": noise(str(number), 1000 + number)}) for number in range(4)]
    for number, each in enumerate(layers):
        made = f"2026-0{number + 1}-01T00:00:00Z"
        content.push("app", f"v{number}", [("ADD os", JANUARY), ("COPY a", each)], created=made)
    pulls = {f"{server.host}/app:v3": 7, f"{server.host}/app:v1": 2}
    done = scanned(server, tmp_path, pulls=pulls)
    found = {one.id: one for one in examined(server, tmp_path, done, kept_tags=3).findings}
    assert found["unpulled"].bytes == len(layers[0].data) + len(layers[2].data)
    assert found["old-tags"].bytes == len(layers[0].data)
    assert found["unpulled"].images == 2 and found["old-tags"].images == 1


def test_zstd_is_estimated_where_it_would_be_less(
    content: Content, server: Server, tmp_path: Path
) -> None:
    text = "".join(f"line {number} of a log\n" for number in range(200_000))
    one = layer({"/a": text})
    content.push("a", "1", [("COPY a", one)])
    content.push("b", "1", [("COPY a", layer({"/b": text}, "zstd"))])
    found = [each for each in looked_at(server, tmp_path).findings if each.id == "zstd"]
    real = len(packed(layer_tar({"/a": text}), "zstd", 3).data)
    assert len(found) == 1 and found[0].images == 1
    assert found[0].bytes is not None  # pieces compress a little less well than the whole
    assert 0.9 * (len(one.data) - real) < found[0].bytes <= len(one.data) - real


def test_ten_damaged_blobs_among_sound_ones_are_ten_findings(
    content: Content, server: Server, tmp_path: Path
) -> None:
    from registry_server import digest_of

    for number in range(20):
        content.push(
            "app",
            str(number),
            [("ADD os", JANUARY), ("COPY a", layer({"/a": noise(str(number), 500)}))],
        )
    for number in range(10):
        sound = layer({"/b": noise(f"bad{number}", 4000)})
        data = sound.data[: -100 - number] if number % 2 else noise(f"rubbish{number}", 900)
        content.push(
            "bad", str(number), [("ADD os", JANUARY), ("COPY b", Layer(data, digest_of(data)))]
        )
    result = looked_at(server, tmp_path)
    damaged = [one for one in result.findings if one.id == "damaged-blob"]
    assert len(damaged) == 10 and {one.level for one in damaged} == {"error"}
    assert (result.totals.blobs, result.totals.read_blobs) == (31, 21)


def test_platforms_ages_and_instructions_are_counted(
    content: Content, server: Server, tmp_path: Path
) -> None:
    code = layer({"/a": "x"})
    content.push("a", "1", [("ADD os", JANUARY), ("COPY a", code)], created="2026-10-20T00:00:00Z")
    content.push("b", "1", [("ADD os", JANUARY)], created="2025-01-01T00:00:00Z", platform="arm64")
    result = looked_at(server, tmp_path)
    both = len(JANUARY.data) + len(code.data)
    assert [(one.name, one.count, one.wire_bytes) for one in result.platforms] == [
        ("linux/amd64", 1, both),
        ("linux/arm64", 1, len(JANUARY.data)),
    ]
    assert [(one.name, one.count) for one in result.ages] == [
        ("under 30 days", 1),
        ("under 730 days", 1),
    ]
    assert [(one.name, one.wire_bytes) for one in result.instructions] == [
        ("ADD", len(JANUARY.data)),
        ("COPY", len(code.data)),
    ]


def test_costs_are_of_repositories_with_several_releases(
    content: Content, server: Server, tmp_path: Path
) -> None:
    for number in range(3):
        code = layer({"/a": noise(f"c{number}", 5000)})
        made = f"2026-0{number + 1}-01T00:00:00Z"
        content.push("a", f"{number}", [("ADD os", JANUARY), ("COPY a", code)], created=made)
    content.push("b", "1", [("ADD os", JANUARY)])
    result = looked_at(server, tmp_path)
    assert [one.repository.rpartition("/")[2] for one in result.costs] == ["a"]
    assert result.costs[0].bytes_per_month > 0


def test_damaged_blobs_are_findings_with_their_images(
    content: Content, server: Server, tmp_path: Path
) -> None:
    from registry_server import digest_of

    bad = Layer(b"nothing", digest_of(b"x"))
    content.push("a", "1", [("COPY a", bad)])
    content.push("b", "1", [("COPY b", layer({"/b": "b"}))])
    found = [one for one in looked_at(server, tmp_path).findings if one.id == "damaged-blob"]
    assert [(one.level, one.where) for one in found] == [("error", [f"{server.host}/a:1"])]


TEAMS, IMAGES = 40, 8
"""Repositories, and releases of each: 320 images."""


def fleet(content: Content) -> dict[str, int]:
    """Images with a known truth: bytes of blobs, of files, and of what could be shared.

    Every repository stands on one of two bases. Its dependencies are the same files everywhere, but
    half of the teams install them at another time, and a quarter of those in another order; each
    release has code of its own. Every tenth repository has a second copy of a model.
    """
    groups = [
        layer(at(DEPENDENCIES, 1)),
        layer(at(DEPENDENCIES, 2)),
        layer(turned(at(DEPENDENCIES, 2))),
    ]
    for tag, each in (("2026-01", JANUARY), ("2026-06", JUNE)):
        content.push("base/debian", tag, [("ADD os", each)], created=f"{tag}-01T00:00:00Z")
    model = {"/srv/model.safetensors": noise("weights", 2_000_000)}
    stored = {one.digest: one for one in (JANUARY, JUNE)}
    shared, pulled = {JANUARY.digest, JUNE.digest}, len(JANUARY.data) + len(JUNE.data)
    for team in range(TEAMS):
        debian = JUNE if team % 4 == 3 else JANUARY
        installed = groups[0 if team % 2 == 0 else 2 if team % 8 == 1 else 1]
        weights = [layer({**model, "/srv/note": str(team)})] if team % 10 == 0 else []
        for release in range(IMAGES):
            code = layer({f"/app/{team}.py": noise(f"{team}-{release}", 2000)})
            layers = [debian, installed, *weights, code]
            steps = ["ADD os", "RUN pip install", *("COPY model" for _ in weights), "COPY app /app"]
            content.push(
                f"team{team % 5}/app{team}",
                f"1.{release}",
                list(zip(steps, layers, strict=True)),
                created=f"2026-0{release + 1}-02T00:00:00Z",
                config={"User": "1000"} if team % 2 else {},
            )
            stored.update((one.digest, one) for one in layers)
            shared.update(one.digest for one in (debian, installed, *weights))
            pulled += sum(len(one.data) for one in layers)
    sizes = {digest: len(one.data) for digest, one in stored.items()}
    return {
        "images": 2 + TEAMS * IMAGES,
        "blobs": len(stored),
        "wire": sum(sizes.values()),
        "pulled": pulled,
        "shared": sum(sizes[digest] for digest in shared),
        "missed": sum(len(one.data) for one in groups) - max(len(one.data) for one in groups),
        "code": TEAMS * IMAGES * 2000,
    }


def test_a_registry_of_320_images_with_every_figure_exact(
    content: Content, server: Server, tmp_path: Path
) -> None:
    truth = fleet(content)
    result = looked_at(server, tmp_path)
    sums = result.totals
    assert set(content.fetched().values()) == {1} and len(content.fetched()) == truth["blobs"]
    assert (sums.repositories, sums.images, sums.tags) == (41, truth["images"], truth["images"])
    assert (sums.blobs, sums.read_blobs) == (truth["blobs"], truth["blobs"])
    assert (sums.wire_bytes, sums.pulled_bytes) == (truth["wire"], truth["pulled"])
    assert sums.shared_bytes == truth["shared"]
    assert len(result.missed) == 1
    group = result.missed[0]
    assert group.saved_bytes == truth["missed"] and group.images == TEAMS * IMAGES
    assert group.causes == ["time stamps", "order"] and group.reasons == ["another base"]
    assert [(one.name, one.bytes, one.copies, one.images) for one in result.trees] == [
        ("model weights", 2_000_000, 4, 4 * IMAGES)
    ]
    assert sums.unique_files is not None and sums.unique_bytes is not None
    dependencies, weights = 30_000, 2_000_000
    notes = sum(len(str(team)) for team in range(0, TEAMS, 10))
    system = sums.unique_bytes - dependencies - weights - notes - truth["code"]
    own = _payload(JANUARY) + _payload(JUNE) - _common()
    assert system == own
    assert (
        sums.payload_bytes
        == _payload(JANUARY)
        + _payload(JUNE)
        + 3 * dependencies
        + 4 * weights
        + notes
        + truth["code"]
    )
    bases = {one.name.rpartition("/")[2]: one.images for one in result.bases}
    assert bases == {"debian:2026-01": 30 * IMAGES, "debian:2026-06": 10 * IMAGES}
    assert [one.name.rpartition("/")[2] for one in result.bases if one.chosen] == ["debian:2026-06"]
    assert {one.team: one.images for one in result.teams} == {
        "base": 2,
        **{f"team{number}": 8 * IMAGES for number in range(5)},
    }


def _contents(one: Layer) -> dict[str, bytes]:
    import gzip
    import io
    import tarfile

    with tarfile.open(fileobj=io.BytesIO(gzip.decompress(one.data))) as archive:
        return {
            member.name: archive.extractfile(member).read()  # type: ignore[union-attr]
            for member in archive
            if member.isreg()
        }


def _payload(one: Layer) -> int:
    return sum(map(len, _contents(one).values()))


def _common() -> int:
    """Bytes of files that both bases have."""
    first, second = set(_contents(JANUARY).values()), set(_contents(JUNE).values())
    return sum(map(len, first & second))


def test_sizes_that_nobody_knows_are_said_to_be_missing(server: Server, tmp_path: Path) -> None:
    from imgopt.image.recipe import write_image

    layers = (("ADD os", {"/etc/os-release": OS}), ("COPY a", {"/a": "x" * 5000}))
    path = write_image(tmp_path / "one.tar", layers, {})
    result = examined(server, tmp_path, scanned(server, tmp_path, str(path)))
    assert result.totals.wire_bytes == 0 and result.totals.payload_bytes == 5000 + len(OS)
    assert "2 of 2 layers have no compressed form" in result.not_measured["wire_bytes"]
    assert "no compressed form" in render(result, "text")
    assert not [one for one in result.findings if one.id == "few-bases"]


def test_a_second_look_gives_the_same_result(
    content: Content, server: Server, tmp_path: Path
) -> None:
    content.push("a", "1", [("ADD os", JANUARY), ("COPY a", layer({"/a": os.urandom(10)}))])
    assert looked_at(server, tmp_path) == looked_at(server, tmp_path)


def test_a_store_of_more_than_is_looked_at_counts_only_that(
    content: Content, server: Server, tmp_path: Path
) -> None:
    content.push("a", "1", [("ADD os", JANUARY)])
    content.push("b", "1", [("ADD os", JUNE), ("RUN x", layer({"/x/.aws/credentials": "x"}))])
    scanned(server, tmp_path)
    done = scanned(server, tmp_path, f"registry:{server.host}/a")
    result = examined(server, tmp_path, done)
    assert result.totals.payload_bytes == _payload(JANUARY)
    assert not [one for one in result.findings if one.id == "secret-files"]
