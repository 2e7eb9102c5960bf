"""A scan reads each blob once, whoever reads it, and what is damaged is a finding."""

from __future__ import annotations

import gzip
import io
import json
import os
import signal
import subprocess
import sys
import tarfile
import threading
import time
from pathlib import Path

import pytest
from registry_server import (
    CONFIG,
    LAYER,
    MANIFEST,
    Content,
    Handler,
    Layer,
    Server,
    digest_of,
    layer,
    packed,
)
from scanning import Here, kill_client, rows, scanned

from imgopt.errors import EnvironmentFailure, InputError
from imgopt.fleet.scan.analyze import analyze
from imgopt.fleet.scan.facts import Facts, FileBlob, RemoteBlob, Task
from imgopt.fleet.scan.feed import BlobTrouble
from imgopt.fleet.scan.on_dask import OnDask
from imgopt.fleet.scan.pool import Pool
from imgopt.fleet.scan.remote import remote_pieces
from imgopt.fleet.scan.store import Store, read_fleet
from imgopt.image.recipe import File, layer_tar

BASE = layer(
    {"/etc/os-release": 'ID=debian\nVERSION_ID="12"\n', "/bin/sh": File("#!x" * 9000, 0o4755)}
)


def fill(content: Content, repositories: int = 3, tags: int = 4) -> None:
    for team in range(repositories):
        for tag in range(tags):
            own = layer({f"/app/{team}-{tag}": "a" * (1000 + 10 * team + tag)})
            content.push(
                f"team{team}/app",
                f"1.{tag}",
                [("ADD base", BASE), (f"COPY {tag} /app", own)],
                created=f"2026-0{tag + 1}-01T00:00:00Z",
            )


def test_each_blob_is_fetched_once_and_a_second_scan_fetches_nothing(
    content: Content, server: Server, tmp_path: Path
) -> None:
    fill(content)
    done = scanned(server, tmp_path)
    assert len(done.fleet.images) == 12 and done.read_blobs == 13
    assert set(content.fetched().values()) == {1} and len(content.fetched()) == 13
    content.asked.clear()
    again = scanned(server, tmp_path)
    assert content.fetched() == {} and (again.read_blobs, again.known_blobs) == (0, 13)
    assert {method for method, path in content.asked if "/manifests/" in path} == {"HEAD"}
    content.push("team9/app", "1", [("ADD base", BASE), ("COPY new", layer({"/new": "n"}))])
    assert scanned(server, tmp_path).read_blobs == 1


def test_what_reading_tells_goes_into_the_fleet(
    content: Content, server: Server, tmp_path: Path
) -> None:
    fill(content, 1, 2)
    scanned(server, tmp_path)
    fleet = read_fleet(tmp_path)
    base = fleet.blobs[BASE.digest]
    assert (base.files, base.payload_bytes, base.codec) == (2, 27_000 + 26, "gzip")
    assert base.tar_bytes == len(gzip.decompress(BASE.data))
    assert [one.tag for one in fleet.repositories[0].releases] == ["1.0", "1.1"]


def test_files_have_rows_with_digest_class_and_package(
    content: Content, server: Server, tmp_path: Path
) -> None:
    site = "/usr/lib/python3/site-packages"
    one = layer(
        {
            f"{site}/six.py": "x = 1\n",
            f"{site}/six-1.dist-info/METADATA": "Name: six\nVersion: 1\n",
            f"{site}/six-1.dist-info/RECORD": "six.py,,\nsix-1.dist-info/METADATA,,\n",
            "/var/lib/apt/lists/x": "list",
            "/bin/su": File("su", 0o4755, uid=3, gid=4, mtime=7),
            "/bin/link": File(link="su"),
            "/bin/.wh.gone": "",
        }
    )
    content.push("app", "1", [("RUN all", one)])
    scanned(server, tmp_path)
    found = {row[3]: row for row in rows(tmp_path)}
    assert found[f"{site}/six.py"][13] == "python:six"
    assert found["/var/lib/apt/lists/x"][12] == "package-lists"
    su = found["/bin/su"]
    assert su[4:10] == ("file", 2, 0o4755, 3, 4, 7_000_000_000)
    assert su[11] == digest_of(b"su") and su[0] == one.digest
    assert found["/bin/link"][10] == "su" and found["/bin/gone"][4] == "whiteout"


@pytest.mark.parametrize("codec", ["gzip", "zstd", "none"])
def test_all_codecs_give_the_same_rows(
    content: Content, server: Server, tmp_path: Path, codec: str
) -> None:
    one = layer({"/a": "x" * 100_000, f"/{'n' * 120}/{'m' * 120}": "long"}, codec)
    content.push("app", "1", [("COPY a", one)])
    scanned(server, tmp_path)
    first, second = rows(tmp_path)
    assert first[1:7] == (1, 0, "/a", "file", 100_000, 0o644)
    assert first[11] == digest_of(b"x" * 100_000)
    assert second[3] == f"/{'n' * 120}/{'m' * 120}" and second[11] == digest_of(b"long")
    facts = analyze(
        Task(digest=one.digest, where=RemoteBlob(server.host, "app"), diff_id=one.diff_id), None
    )
    assert (facts.codec, facts.diff_id, facts.problem) == (codec, one.diff_id, "")
    assert (facts.zstd_bytes is None) == (codec != "gzip")


def test_indexes_attestations_artifacts_and_foreign_layers(
    content: Content, server: Server, tmp_path: Path
) -> None:
    arm = content.push("app", "", [("COPY a", layer({"/arm": "x"}))], platform="arm64")
    amd = content.push("app", "", [("COPY a", layer({"/amd": "x"}))])
    statement = content.push_blob(b'{"_type": "statement"}')
    empty = content.push_blob(b"{}")
    attestation = content.push_document(
        {
            "schemaVersion": 2,
            "config": {"mediaType": CONFIG, "digest": empty, "size": 2},
            "layers": [
                {"mediaType": "application/vnd.in-toto+json", "digest": statement, "size": 22}
            ],
        }
    )
    chart = content.push_document(
        {
            "schemaVersion": 2,
            "config": {
                "mediaType": "application/vnd.cncf.helm.config.v1+json",
                "digest": empty,
                "size": 2,
            },
            "layers": [{"mediaType": "application/x", "digest": statement, "size": 22}],
        }
    )
    content.tag("chart", "1", chart)
    content.push_index(
        "app",
        "1",
        [
            {
                "mediaType": MANIFEST,
                "digest": arm,
                "size": 1,
                "platform": {"os": "linux", "architecture": "arm64"},
            },
            {
                "mediaType": MANIFEST,
                "digest": amd,
                "size": 1,
                "platform": {"os": "linux", "architecture": "amd64"},
            },
            {
                "mediaType": MANIFEST,
                "digest": attestation,
                "size": 1,
                "platform": {"os": "unknown", "architecture": "unknown"},
                "annotations": {"vnd.docker.reference.type": "attestation-manifest"},
            },
        ],
    )
    away = Layer(b"elsewhere", digest_of(b"elsewhere"), LAYER, ("http://127.0.0.2:9/layer",))
    content.push("windows", "1", [("ADD os", away), ("COPY a", layer({"/w": "x"}))])
    done = scanned(server, tmp_path)
    assert done.fleet.problems == () and done.unreached == {}
    kinds = [image.kind for image in done.fleet.images]
    assert sorted(kinds) == ["artifact", "attestation", "image", "image", "image"]
    series = done.fleet.series(f"{server.host}/app")
    assert {image.platform for image in series} == {"linux/amd64", "linux/arm64"}
    assert done.fleet.blobs[away.digest].foreign and away.digest not in content.fetched()
    assert statement not in content.fetched() and done.read_blobs == 3


def tar_with(name: str) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        archive.addfile(tarfile.TarInfo(name))
    return buffer.getvalue()


def flipped(data: bytes) -> bytes:
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 0x55]) + data[middle + 1 :]


GOOD = gzip.compress(layer_tar({"/a": os.urandom(5000)}), mtime=0)
DAMAGED = {
    "not a tar": (gzip.compress(b"no tar" * 200, mtime=0), "format", "not a tar"),
    "cut with its own digest": (GOOD[:-2000], "cut", "middle of its compressed"),
    "flipped": (flipped(GOOD), "format", "cannot be unpacked"),
    "a way out": (gzip.compress(tar_with("../../etc/passwd")), "format", "outside of the root"),
    "a tar that is cut": (gzip.compress(layer_tar({"/a": "x" * 3000})[:1500]), "format", "cut off"),
    "zstd that is cut": (
        packed(layer_tar({"/a": os.urandom(9000)}), "zstd").data[:-4000],
        "cut",
        "middle of its compressed",
    ),
    "rubbish behind gzip": (GOOD + b"rubbish!", "format", "cannot be unpacked"),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_blob_is_a_finding_and_not_asked_for_again(
    content: Content, server: Server, tmp_path: Path, name: str
) -> None:
    data, trouble, words = DAMAGED[name]
    content.push("app", "1", [("COPY a", Layer(data, digest_of(data)))])
    content.push("app", "2", [("COPY a", layer({"/fine": "x"}))])
    done = scanned(server, tmp_path)
    facts = done.facts[digest_of(data)]
    assert (facts.status, facts.trouble) == ("damaged", trouble) and words in facts.problem
    assert sum(each.status == "read" for each in done.facts.values()) == 1
    assert scanned(server, tmp_path).read_blobs == 0
    assert scanned(server, tmp_path, retry_damaged=True).read_blobs == 1


def serving(digest: str, give) -> object:
    def odd(handler: Handler, path: str) -> bool:
        if not path.endswith(f"/blobs/{digest}"):
            return False
        give(handler)
        return True

    return odd


ONE = layer({"/a": os.urandom(400_000)})
LIES = {
    "other contents": (lambda h: h.give(200, flipped(ONE.data)), "digest"),
    "another layer": (lambda h: h.give(200, BASE.data), "length"),
    "more than is stated": (lambda h: h.give(200, ONE.data + b"\0" * 70_000), "length"),
    "fewer than are stated": (lambda h: h.give(200, ONE.data[:-9]), "cut"),
}


@pytest.mark.parametrize("name", LIES)
def test_a_registry_that_lies_about_a_blob_is_found_out(
    content: Content, server: Server, tmp_path: Path, name: str
) -> None:
    give, trouble = LIES[name]
    content.push("app", "1", [("COPY a", ONE)])
    content.odd.append(serving(ONE.digest, give))
    facts = scanned(server, tmp_path).facts[ONE.digest]
    assert facts.status == "damaged"
    assert facts.trouble == trouble or facts.trouble == "format"


def test_a_configuration_that_lies_about_contents_is_told_beside_the_rows(
    content: Content, server: Server, tmp_path: Path
) -> None:
    content.push("app", "1", [("COPY a", Layer(ONE.data, digest_of(b"other")))])
    facts = scanned(server, tmp_path).facts[ONE.digest]
    assert facts.status == "read" and "a configuration says" in facts.problem


def test_a_stream_that_is_cut_goes_on_where_it_was(content: Content, server: Server) -> None:
    content.push("app", "1", [("COPY a", ONE)])
    times = [3]

    def cut(handler: Handler) -> None:
        wanted = int(handler.headers.get("Range", "bytes=0-")[6:-1])
        times[0] -= 1
        if times[0] < 0:
            handler._blob(ONE.data)
        else:
            handler.cut(ONE.data[: wanted + 100_000] if not wanted else b"", len(ONE.data))

    content.odd.append(serving(ONE.digest, cut))
    waits: list[float] = []
    where = RemoteBlob(server.host, "app")
    got = b"".join(remote_pieces(where, ONE.digest, None, waits.append))
    assert got == ONE.data and len(waits) == 3


def test_a_registry_without_ranges_is_read_from_the_start_again(
    content: Content, server: Server
) -> None:
    times = [1]

    def cut(handler: Handler) -> None:
        times[0] -= 1
        handler.cut(ONE.data[:90_000], len(ONE.data)) if times[0] >= 0 else handler.give(
            200, ONE.data
        )

    content.odd.append(serving(ONE.digest, cut))
    where = RemoteBlob(server.host, "app")
    assert b"".join(remote_pieces(where, ONE.digest, None, lambda _: None)) == ONE.data


def test_a_stream_that_is_cut_each_time_ends(content: Content, server: Server) -> None:
    content.odd.append(serving(ONE.digest, lambda h: h.cut(b"", len(ONE.data))))
    where = RemoteBlob(server.host, "app")
    with pytest.raises(BlobTrouble, match="cut off") as caught:
        list(remote_pieces(where, ONE.digest, None, lambda _: None))
    assert caught.value.trouble == "cut"


def test_a_blob_that_is_not_there_is_asked_for_again_next_time(
    content: Content, server: Server, tmp_path: Path
) -> None:
    content.push("app", "1", [("COPY a", ONE)])
    del content.blobs[ONE.digest]
    done = scanned(server, tmp_path)
    assert done.unreached[ONE.digest].trouble == "unreached"
    content.push_blob(ONE.data)
    assert scanned(server, tmp_path).facts[ONE.digest].status == "read"


def test_what_is_odd_among_manifests_is_told_and_the_rest_is_read(
    content: Content, server: Server, tmp_path: Path
) -> None:
    content.push("good", "1", [("COPY a", ONE)])
    content.tags["empty"] = {}
    content.tags["bad name!"] = {"1": "x"}
    content.tag("lost", "1", "sha256:" + "0" * 64)
    content.tag("json", "1", content.push_document({}, MANIFEST))
    kind, data = content.manifests[content.tags["json"]["1"]]
    content.manifests["sha256:" + "1" * 64] = (kind, data)
    content.tag("lies", "1", "sha256:" + "1" * 64)
    loop = content.push_document({"manifests": []})
    content.tag("loop", "1", loop)
    content.manifests[loop] = (MANIFEST, json.dumps({"manifests": [{"digest": loop}]}).encode())
    done = scanned(server, tmp_path)
    troubles = {
        (one.where.partition("/")[2].partition("@")[0], one.kind) for one in done.fleet.problems
    }
    assert troubles == {
        ("", "unreadable"),
        ("empty", "no-tags"),
        ("json", "manifest"),
        ("lies", "manifest"),
        ("loop", "manifest"),
        ("lost:1", "manifest"),
    }
    assert done.facts[ONE.digest].status == "read"


def test_one_source_that_fails_is_told_beside_the_others(
    content: Content, server: Server, tmp_path: Path
) -> None:
    content.push("good", "1", [("COPY a", ONE)])
    names = (f"registry:{server.host}/good", f"registry:{server.host}/none")
    done = scanned(server, tmp_path / "both", *names)
    assert done.read_blobs == 1 and [one.kind for one in done.fleet.problems] == ["source"]
    with pytest.raises(EnvironmentFailure, match="does not have it"):
        scanned(server, tmp_path / "one", names[1])


def test_a_budget_takes_the_largest_gain_first_and_tells_what_is_left(
    content: Content, server: Server, tmp_path: Path
) -> None:
    big, small = layer({"/big": os.urandom(30_000)}), layer({"/small": os.urandom(20_000)})
    content.push("a", "1", [("COPY big", big)])
    for tag in range(3):
        content.push(
            "b", str(tag), [("COPY small", small), (f"RUN {tag}", layer({f"/{tag}": "x"}))]
        )
    done = scanned(server, tmp_path, budget=len(small.data) + 500)
    assert next(iter(content.fetched())) == small.digest
    assert big.digest not in content.fetched()
    assert (done.left_blobs, done.left_bytes) == (1, len(big.data))
    assert scanned(server, tmp_path).read_blobs == 1


def test_pulls_count_in_what_is_read_first(
    content: Content, server: Server, tmp_path: Path
) -> None:
    one, two = layer({"/1": os.urandom(3000)}), layer({"/2": os.urandom(2000)})
    content.push("a", "1", [("COPY 1", one)])
    content.push("b", "1", [("COPY 2", two)])
    pulls = {f"{server.host}/b:1": 100, f"{server.host}/a:1": 1}
    done = scanned(server, tmp_path, pulls=pulls)
    assert list(content.fetched()) == [two.digest, one.digest]
    assert [image.pulls for image in done.fleet.images] == [1, 100]


def test_filters_by_pattern_and_age(content: Content, server: Server, tmp_path: Path) -> None:
    from imgopt.fleet.scan.sources import Filters

    fill(content)
    filters = Filters(include=("team*:1.[12]",), exclude=("team2/*",))
    done = scanned(server, tmp_path / "a", filters=filters)
    assert {image.repository.partition("/")[2] for image in done.fleet.images} == {
        "team0/app",
        "team1/app",
    }
    assert len(done.fleet.images) == 4
    days = (time.time() - 1_775_001_600) / 86400  # 2026-04-01
    done = scanned(server, tmp_path / "b", filters=Filters(most_days=days + 0.5))
    assert {image.created for image in done.fleet.images} == {"2026-04-01T00:00:00Z"}
    one = scanned(server, tmp_path / "c", f"registry:{server.host}/team1/*:1.3")
    assert len(one.fleet.images) == 1


def in_pool(logins, count) -> Pool:
    del count
    return Pool(2, logins)


def on_dask(logins, count) -> OnDask:
    del count
    return OnDask(None, 2, logins)


def test_pool_dask_and_one_process_give_the_same_rows(
    content: Content, server: Server, tmp_path: Path
) -> None:
    fill(content)
    scanned(server, tmp_path / "here")
    wanted = rows(tmp_path / "here")
    for name, workers in (("pool", in_pool), ("dask", on_dask)):
        content.asked.clear()
        scanned(server, tmp_path / name, workers=workers)
        assert rows(tmp_path / name) == wanted and len(wanted) == 14
        assert set(content.fetched().values()) == {1}


@pytest.mark.parametrize("workers", [in_pool, on_dask])
def test_a_worker_that_is_killed_costs_a_second_try_and_nothing_else(
    content: Content, server: Server, tmp_path: Path, workers
) -> None:
    fill(content, 1, 3)
    scanned(server, tmp_path / "here")
    left = [1]

    def kill(handler: Handler) -> None:
        left[0] -= 1
        if left[0] < 0 or not kill_client(handler):
            handler._blob(BASE.data)

    content.odd.append(serving(BASE.digest, kill))
    content.asked.clear()
    done = scanned(server, tmp_path / "killed", workers=workers)
    assert rows(tmp_path / "killed") == rows(tmp_path / "here") and done.unreached == {}
    assert content.fetched()[BASE.digest] == 2


@pytest.mark.parametrize("workers", [in_pool, on_dask])
def test_a_blob_that_kills_its_worker_three_times_is_a_finding(
    content: Content, server: Server, tmp_path: Path, workers
) -> None:
    fill(content, 1, 3)
    content.odd.append(serving(BASE.digest, kill_client))
    done = scanned(server, tmp_path, workers=workers)
    facts = done.facts[BASE.digest]
    assert (facts.status, facts.trouble) == ("damaged", "killed")
    assert sum(each.status == "read" for each in done.facts.values()) == 3
    assert content.fetched()[BASE.digest] == 3


def test_a_scheduler_that_is_killed_costs_what_was_under_way(
    content: Content, server: Server, tmp_path: Path
) -> None:
    fill(content, 4, 4)
    scanned(server, tmp_path / "here")
    with cluster() as (address, scheduler):
        gate = layer({"/app/3-3": "a" * 1033})

        def kill(handler: Handler) -> None:
            os.kill(scheduler.pid, signal.SIGKILL)
            handler._blob(gate.data)

        content.odd.append(serving(gate.digest, kill))
        with pytest.raises(EnvironmentFailure, match="scheduler of Dask is gone"):
            scanned(server, tmp_path / "dask", workers=lambda logins, _: OnDask(address, 0, logins))
    content.odd.clear()
    content.asked.clear()
    done = scanned(server, tmp_path / "dask")
    assert done.known_blobs + done.read_blobs == 17 and set(content.fetched().values()) == {1}
    assert rows(tmp_path / "dask") == rows(tmp_path / "here")


class cluster:
    """A scheduler and two workers as processes of their own."""

    def __enter__(self) -> tuple[str, subprocess.Popen[str]]:
        command = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--host", "127.0.0.1"]
        self.processes = [
            subprocess.Popen(
                [*command, "--port", "0", "--no-dashboard"],
                stderr=subprocess.PIPE,
                text=True,
            )
        ]
        assert self.processes[0].stderr is not None
        for line in self.processes[0].stderr:
            if "Scheduler at:" in line:
                address = line.split()[-1]
                break
        threading.Thread(target=self.processes[0].stderr.read, daemon=True).start()
        for _ in range(2):
            worker = [sys.executable, "-m", "distributed.cli.dask_worker", address]
            options = ["--nthreads", "1", "--no-nanny", "--no-dashboard", "--death-timeout", "20"]
            self.processes.append(
                subprocess.Popen(
                    [*worker, *options], stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL
                )
            )
        return address, self.processes[0]

    def __exit__(self, *_: object) -> None:
        for process in self.processes:
            process.kill()
            process.wait()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL, signal.SIGINT])
def test_a_scan_that_is_ended_leaves_no_process(
    content: Content, server: Server, tmp_path: Path, number: signal.Signals
) -> None:
    import psutil

    fill(content)
    asked, end = threading.Event(), threading.Event()

    def never(handler: Handler) -> None:
        asked.set()
        end.wait(60)
        handler.close_connection = True

    content.odd.append(serving(BASE.digest, never))
    command = [sys.executable, "-m", "imgopt", "registry", "scan", f"registry:{server.host}"]
    with subprocess.Popen(
        [*command, "--store", str(tmp_path / "store"), "--jobs", "2"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert asked.wait(60)
        left = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(number)
        _, said = process.communicate(timeout=60)
    gone, alive = psutil.wait_procs(left, timeout=30)
    end.set()
    assert alive == [] and len(gone) >= 2
    assert "Traceback" not in said
    assert process.returncode == (130 if number == signal.SIGINT else -number)


def test_a_scheduler_that_is_not_there_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("imgopt.fleet.scan.on_dask._SECONDS", 1)
    gone = pytest.raises(EnvironmentFailure, match="no scheduler of Dask answers")
    with gone, OnDask("tcp://127.0.0.1:1", 0, {}):
        pass


def test_a_run_that_is_ended_half_way_goes_on_where_it_was(
    content: Content, server: Server, tmp_path: Path
) -> None:
    fill(content)
    scanned(server, tmp_path / "whole")
    content.asked.clear()
    with pytest.raises(KeyboardInterrupt):
        scanned(server, tmp_path / "half", workers=lambda logins, _: Here(logins, most=5))
    done = scanned(server, tmp_path / "half")
    assert (done.known_blobs, done.read_blobs) == (5, 8)
    assert set(content.fetched().values()) == {1}
    assert rows(tmp_path / "half") == rows(tmp_path / "whole")


def test_rows_that_no_index_names_are_removed(
    content: Content, server: Server, tmp_path: Path
) -> None:
    fill(content, 1, 1)
    scanned(server, tmp_path)
    (tmp_path / "files" / "1-sha256-x.parquet").write_bytes(b"left over")
    (tmp_path / "files" / ".new-1-x").write_bytes(b"half")
    before = rows(tmp_path)
    scanned(server, tmp_path)
    assert len(list((tmp_path / "files").iterdir())) == 2 and rows(tmp_path) == before


def test_many_small_files_of_rows_become_one(
    content: Content, server: Server, tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.setattr("imgopt.fleet.scan.scan._LOOSE", 4)
    fill(content)
    scanned(server, tmp_path / "a")
    monkeypatch.setattr("imgopt.fleet.scan.scan._LOOSE", 400)
    scanned(server, tmp_path / "b")
    assert len(list((tmp_path / "a" / "files").iterdir())) == 1
    assert rows(tmp_path / "a") == rows(tmp_path / "b")
    assert scanned(server, tmp_path / "a").read_blobs == 0


def test_two_scans_do_not_write_to_one_store(tmp_path: Path) -> None:
    with Store(tmp_path, write=True), pytest.raises(EnvironmentFailure, match="another scan"):
        Store(tmp_path, write=True)
    (tmp_path / "index.sqlite").write_bytes(b"no index" * 1000)
    with pytest.raises(InputError, match="damaged"):
        Store(tmp_path, write=True)
    with pytest.raises(InputError, match="no results"):
        Store(tmp_path / "none")


ZEROS = """
import re, sys
from pathlib import Path
from imgopt.fleet.scan.analyze import analyze
from imgopt.fleet.scan.facts import FileBlob, Task
size = int(sys.argv[2])
task = Task(digest=sys.argv[1], where=FileBlob(sys.argv[3], 0, size), wire_bytes=size)
facts = analyze(task, None)
peak = re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]  # of this program alone
print(facts.status, facts.payload_bytes, int(peak) // 1024)
"""


def zeros(path: Path, size: int) -> None:
    """A layer with one file of zeros, compressed as it is written."""
    import zstandard

    info = tarfile.TarInfo("zeros")
    info.size = size
    with path.open("wb") as file, zstandard.ZstdCompressor().stream_writer(file) as stream:
        stream.write(info.tobuf(tarfile.PAX_FORMAT))
        piece = bytes(16 << 20)
        for _ in range(size // len(piece)):
            stream.write(piece)
        stream.write(bytes(1024))


def test_a_layer_of_5_gb_of_zeros_takes_no_memory_and_no_disk(tmp_path: Path) -> None:
    path = tmp_path / "zeros.tar.zst"
    size = 5 << 30
    zeros(path, size)
    data = path.read_bytes()
    assert len(data) < 1 << 20
    ran = subprocess.run(
        [sys.executable, "-c", ZEROS, digest_of(data), str(len(data)), str(path)],
        capture_output=True,
        text=True,
        check=True,
    )
    status, payload, memory = ran.stdout.split()
    assert (status, int(payload)) == ("read", size)
    assert int(memory) < 200
    assert [one.name for one in tmp_path.iterdir()] == ["zeros.tar.zst"]


def test_texts_that_are_no_utf8_and_absurd_numbers_get_rows(
    content: Content, server: Server, tmp_path: Path
) -> None:
    info = tarfile.TarInfo("absurd")
    info.uid, info.mtime = 2**50, 2**62
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as archive:
        archive.addfile(info)
    status = b"Package: p\xff\xfe\nStatus: install ok installed\n\n"
    odd = {"/caf\udce9": "x", "/var/lib/dpkg/status": File(status), "/l": File(link="\udcff")}
    for number, one in enumerate((packed(buffer.getvalue()), layer(odd))):
        content.push("app", str(number), [("COPY x", one)])
    done = scanned(server, tmp_path)
    assert {each.status for each in done.facts.values()} == {"read"}
    found = {row[3]: row for row in rows(tmp_path)}
    assert found["/caf\\xe9"][5] == 1 and found["/l"][10] == "\\xff"
    assert found["/absurd"][7] == 2**50 and found["/absurd"][9] == 2**63 - 1


def test_the_rest_is_told_when_there_is_a_rate_to_tell_it_by() -> None:
    from imgopt.fleet.scan.scan import Progress

    progress = Progress(blobs=10, bytes=1000, began=100.0, done_blobs=2, done_bytes=900)
    assert progress.rest_seconds(150.0) is None
    progress = Progress(blobs=10, bytes=1000, began=100.0, done_blobs=5, done_bytes=250)
    assert progress.rest_seconds(150.0) == 150.0
    assert progress.rest_seconds(100.5) is None


def test_layouts_and_archives_are_sources(tmp_path: Path, server: Server) -> None:
    from imgopt.image.recipe import write_image

    path = write_image(tmp_path / "one.tar", (("COPY a", {"/a": "x" * 5000}),), {"User": "1"})
    done = scanned(server, tmp_path / "store", str(path))
    assert [(image.repository, image.user) for image in done.fleet.images] == [("t", "1")]
    assert [facts.status for facts in done.facts.values()] == ["read"]
    folder = tmp_path / "layout"
    (folder / "blobs" / "sha256").mkdir(parents=True)
    content = Content()
    manifest = content.push("app", "1", [("ADD base", BASE), ("COPY a", ONE)])
    kind, data = content.manifests[manifest]
    for digest, blob in {**content.blobs, manifest: data, digest_of(b"left"): b"left"}.items():
        (folder / "blobs" / "sha256" / digest[7:]).write_bytes(blob)
    note = {"org.opencontainers.image.ref.name": "app:1"}
    index = {
        "manifests": [
            {"mediaType": kind, "digest": manifest, "size": len(data), "annotations": note}
        ]
    }
    (folder / "index.json").write_text(json.dumps(index))
    done = scanned(server, tmp_path / "store2", f"oci:{folder}")
    assert [each.status for each in done.facts.values()] == ["read", "read"]
    assert [(one.kind, one.bytes) for one in done.fleet.problems] == [("unreferenced", 4)]
    (tmp_path / "packed.tar.gz").write_bytes(gzip.compress(path.read_bytes()))
    with pytest.raises(InputError, match="unpacked to disk"):
        scanned(server, tmp_path / "store3", str(tmp_path / "packed.tar.gz"))
    with pytest.raises(EnvironmentFailure):
        scanned(server, tmp_path / "store3", str(tmp_path / "none.tar"))


def test_facts_of_a_file_that_is_gone_are_none(tmp_path: Path) -> None:
    task = Task(digest="sha256:0", where=FileBlob(str(tmp_path / "x"), 0, 5), wire_bytes=5)
    facts: Facts = analyze(task, None)
    assert (facts.status, facts.trouble) == ("unreached", "unreached")
