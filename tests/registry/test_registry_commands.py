"""`imgopt registry scan` and `imgopt registry query` as they are called."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from registry_server import Content, Layer, Server, digest_of, layer
from scanning import log_in

from imgopt.cli.app import main
from imgopt.image.recipe import File

BASE = layer({"/etc/os-release": "ID=debian\nVERSION_ID=12\n", "/bin/sh": File("s" * 5000, 0o755)})
SECRET = "hunter2-and-more"


def fill(content: Content) -> None:
    for team in ("pay", "shop"):
        for tag in range(2):
            own = layer({"/app/x.py": "x" * 9000, f"/app/{team}{tag}": "y"})
            made = f"2026-0{tag + 1}-01T00:00:00Z"
            content.push(
                f"{team}/api", f"1.{tag}", [("ADD os", BASE), ("COPY app", own)], created=made
            )


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Any:
    def call(command: str, *words: str) -> tuple[int, str, str]:
        store = ["--store", str(tmp_path / "store")]
        code = main(["registry", command, *words, *store])
        said = capsys.readouterr()
        assert "Traceback" not in said.err and SECRET not in said.out + said.err
        return code, said.out, said.err

    return call


def test_a_scan_says_what_there_is_and_what_to_do(
    content: Content, server: Server, run: Any
) -> None:
    fill(content)
    code, out, _ = run("scan", f"registry:{server.host}", "--jobs", "2")
    assert code == 0
    assert "4 images with 4 tags in 2 repositories" in out and "5 blobs read now" in out
    assert "What to do first" in out and "-> " in out
    code, out, _ = run("scan", f"registry:{server.host}")
    assert "0 blobs read now" in out and "5 known before" in out


def test_every_format_is_given_to_files_in_one_scan(
    content: Content, server: Server, run: Any, tmp_path: Path
) -> None:
    import pyarrow.parquet as pq

    fill(content)
    names = ("text", "json", "markdown", "html", "csv", "parquet")
    outputs = [word for name in names for word in ("--output", f"{name}:{tmp_path / name}")]
    code, out, _ = run("scan", f"registry:{server.host}", "--format", "json", *outputs)
    assert code == 0
    result = json.loads(out)
    assert result["schema"] == "imgopt/registry/1" and result["totals"]["images"] == 4
    assert json.loads((tmp_path / "json").read_text()) == result
    page = (tmp_path / "html").read_text()
    assert "pay/api" in page and "What to do first" in page and "Cost per month" in page
    assert (tmp_path / "csv").read_text().startswith("id,level,bytes")
    rows = pq.read_table(tmp_path / "parquet").to_pylist()
    assert [row["id"] for row in rows] == [each["id"] for each in result["findings"]]
    assert "| --- |" in (tmp_path / "markdown").read_text()


def test_a_saved_result_becomes_a_page(
    content: Content, server: Server, run: Any, tmp_path: Path, capsys: Any
) -> None:
    fill(content)
    run("scan", f"registry:{server.host}", "--output", f"json:{tmp_path / 'r.json'}")
    assert main(["report", str(tmp_path / "r.json"), "--format", "html"]) == 0
    assert "pay/api" in capsys.readouterr().out


def test_names_of_a_registry_are_shown_and_never_obeyed(
    content: Content, server: Server, run: Any, tmp_path: Path
) -> None:
    hostile = "RUN \x1b[31m<script>alert(1)</script> | `x`"
    for number in range(2):
        own = layer({"/app/x": File("x" * 5000, mtime=number)})
        content.push(
            f"t{number}/a",
            "1",
            [("ADD os", BASE), (hostile, own)],
            config={"Labels": {"team": "=1+1"}},
        )
    _, out, _ = run(
        "scan",
        f"registry:{server.host}",
        "--team-label",
        "team",
        "--output",
        f"html:{tmp_path / 'h'}",
        "--output",
        f"csv:{tmp_path / 'c'}",
    )
    assert "\x1b" not in out and "\\x1b[31m" in out
    assert "<script>alert" not in (tmp_path / "h").read_text()
    assert "\x1b" not in (tmp_path / "c").read_text()


def test_manifests_alone_need_no_blob(content: Content, server: Server, run: Any) -> None:
    fill(content)
    code, out, _ = run("scan", f"registry:{server.host}", "--no-blobs", "--format", "json")
    result = json.loads(out)
    assert code == 0 and content.fetched() == {}
    assert result["missed"] == [] and "no blob was read" in result["not_measured"]["missed"]
    assert result["totals"]["wire_bytes"] > 0 and result["totals"]["files"] is None


def test_a_list_of_sources_and_of_pulls(
    content: Content, server: Server, run: Any, tmp_path: Path
) -> None:
    fill(content)
    listed = tmp_path / "images.txt"
    listed.write_text(
        f"# ours\n\nregistry:{server.host}/pay/api:1.1\nregistry:{server.host}/shop/*\n"
    )
    pulls = tmp_path / "pulls.csv"
    pulls.write_text(f"name,pulls\n{server.host}/pay/api:1.1,12\n")
    code, out, _ = run("scan", "--from", str(listed), "--pulls", str(pulls), "--format", "json")
    result = json.loads(out)
    assert code == 0 and result["totals"]["images"] == 3
    assert {row["name"].partition("/")[2]: row["pulls"] for row in result["repositories"]} == {
        "pay/api": 12,
        "shop/api": 0,
    }
    assert next(one for one in result["findings"] if one["id"] == "unpulled")["images"] == 2


def test_a_budget_leaves_the_rest_for_later(content: Content, server: Server, run: Any) -> None:
    fill(content)
    size = str(len(BASE.data) + 10)
    _, out, _ = run("scan", f"registry:{server.host}", "--budget", size, "--format", "json")
    result = json.loads(out)
    assert result["scan"]["read_blobs"] >= 1 and result["scan"]["left_blobs"] >= 1
    assert "not read yet" in result["not_measured"]["blobs"]
    _, out, _ = run("scan", f"registry:{server.host}", "--format", "json")
    assert json.loads(out)["scan"]["left_blobs"] == 0 and set(content.fetched().values()) == {1}


def test_damage_makes_exit_code_1_where_that_is_asked_for(
    content: Content, server: Server, run: Any
) -> None:
    fill(content)
    content.push("bad", "1", [("COPY x", Layer(b"no tar", digest_of(b"")))])
    words = ("scan", f"registry:{server.host}")
    code, out, _ = run(*words)
    assert code == 0 and "error: sha256:" in out
    assert run(*words, "--fail-on", "error")[0] == 1


def test_exit_codes_of_the_environment(
    content: Content, server: Server, run: Any, docker_config: Path
) -> None:
    log_in(docker_config, server.host, f"user:{SECRET}")
    content.log_in = lambda _: False
    code, _, said = run("scan", f"registry:{server.host}")
    assert code == 3 and f"docker login {server.host}" in said
    content.log_in = lambda _: True
    code, _, said = run("scan", f"registry:{server.host}")
    assert code == 3 and "no image was found" in said


def test_blobs_of_which_none_can_be_reached_are_exit_code_3(
    content: Content, server: Server, run: Any
) -> None:
    content.push("a", "1", [("ADD os", BASE)])
    del content.blobs[BASE.digest]
    code, _, said = run("scan", f"registry:{server.host}")
    assert code == 3 and "none of the 1 new blobs could be reached" in said


WRONG = {
    "nothing to scan": ["scan"],
    "not a source": ["scan", "python"],
    "two ways": ["scan", "registry:r.example", "--dask", "--scheduler", "tcp://x:1"],
    "--budget much": ["scan", "registry:r.example", "--budget", "much"],
    "--format exe": ["scan", "registry:r.example", "--format", "exe"],
    "--fail-on maybe": ["scan", "registry:r.example", "--fail-on", "maybe"],
    "is refused": ["scan", f"registry:user:{SECRET}@r.example/app"],
    "no results of a scan": ["query", "select 1"],
}


@pytest.mark.parametrize("words", WRONG)
def test_wrong_input_is_exit_code_2(run: Any, words: str) -> None:
    code, _, said = run(*WRONG[words])
    assert code == 2 and words in " ".join(said.split())


@pytest.mark.parametrize("text", ["a", "a,b\nc,d", "a,1,2", "\xff"])
def test_pulls_that_are_none_are_told_with_their_line(run: Any, tmp_path: Path, text: str) -> None:
    (tmp_path / "p.csv").write_bytes(f"name,pulls\n{text}\n".encode("latin-1"))
    code, _, said = run("scan", "registry:r.example", "--pulls", str(tmp_path / "p.csv"))
    assert code == 2 and "p.csv" in said


def test_parts_that_are_not_installed_are_told_with_the_command(
    content: Content, server: Server, run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    import importlib.util

    real = importlib.util.find_spec
    missing = {"duckdb", "distributed"}
    monkeypatch.setattr(
        importlib.util,
        "find_spec",
        lambda name, *rest: None if name in missing else real(name, *rest),
    )
    code, _, said = run("scan", f"registry:{server.host}")
    assert code == 3 and "pip install 'docker-imgopt[fleet]'" in said
    code, _, said = run("scan", f"registry:{server.host}", "--dask", "--no-blobs")
    assert code == 3 and "docker-imgopt[fleet,dask]" in said
    fill(content)
    assert run("scan", f"registry:{server.host}", "--no-blobs")[0] == 0


def test_the_tables_are_asked_in_sql(content: Content, server: Server, run: Any) -> None:
    fill(content)
    run("scan", f"registry:{server.host}")
    sql = "select team, count(*) images from images group by team order by team"
    code, out, _ = run("query", sql)
    assert code == 0 and [line.split() for line in out.splitlines()] == [
        ["team", "images"],
        ["pay", "2"],
        ["shop", "2"],
    ]
    assert run("query", sql, "--format", "csv")[1] == "team,images\npay,2\nshop,2\n"
    assert json.loads(run("query", sql, "--format", "json")[1])[0] == {"team": "pay", "images": 2}
    for table in ("images", "tags", "layers", "blobs", "files"):
        assert (
            int(run("query", f"select count(*) from {table}", "--format", "csv")[1].split()[1]) > 0
        )
    code, _, said = run("query", "select nothing from nowhere")
    assert code == 2 and "the query fails" in said and "docs/fleet.md" in said


def test_an_answer_in_parquet_goes_to_a_pipe(
    content: Content, server: Server, run: Any, tmp_path: Path
) -> None:
    import pyarrow.parquet as pq

    fill(content)
    run("scan", f"registry:{server.host}")
    command = [sys.executable, "-m", "imgopt", "registry", "query", "select blob from blobs"]
    options = ["--store", str(tmp_path / "store"), "--format", "parquet"]
    ran = subprocess.run([*command, *options], capture_output=True, check=True)
    assert pq.read_table(io.BytesIO(ran.stdout)).num_rows == 5


COLUMNS = Path(__file__).parents[2] / "docs" / "fleet.md"


def test_the_documented_columns_are_those_of_the_tables() -> None:
    import re

    from imgopt.fleet.scan.tables import TABLES

    text = COLUMNS.read_text()
    for name, columns in TABLES.items():
        row = re.search(rf"^\| `{name}` \| (.*) \|$", text, re.MULTILINE)
        assert row is not None, name
        listed = re.sub(r"\([^)]*\)", "", row[1])
        assert [word.strip() for word in listed.split(",")] == list(columns), name
