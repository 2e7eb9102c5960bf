"""A Bake file is read by buildx itself."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from grammar import written

from imgopt.cli.found import settled
from imgopt.cli.options import BuildOptions
from imgopt.compose.bake import read_bake
from imgopt.compose.finding import find, find_all
from imgopt.compose.linked import with_linked
from imgopt.engine import Session, configured
from imgopt.errors import InputError

pytestmark = pytest.mark.engine
FROM = "FROM busybox\n"
SHOP = """variable "VERSION" { default = "7" }
group "default" { targets = ["web", "worker"] }
target "common" {
  context = "app"
  args = { VERSION = VERSION, NOTHING = null }
  secret = ["id=npm,src=npmrc"]
  ssh = ["default"]
}
target "web" {
  inherits = ["common"]
  target = "web"
  platforms = ["linux/amd64", "linux/arm64"]
  contexts = { shared = "shared", base = "docker-image://busybox" }
}
target "worker" {
  inherits = ["common"]
  dockerfile-inline = "FROM busybox\\nRUN true\\n"
}
target "more" { context = "." }
"""


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    files = {"docker-bake.hcl": SHOP, "app/Dockerfile": FROM, "shared/x": "", "npmrc": ""}
    return written(files, tmp_path.resolve())


def test_what_a_target_says_is_what_buildx_prints(shop: Path) -> None:
    targets = read_bake(shop)
    assert targets is not None and list(targets) == ["web", "worker"]
    web = targets["web"]
    assert (web.context, web.dockerfile, web.target) == (
        shop / "app",
        shop / "app/Dockerfile",
        "web",
    )
    assert web.args == {"VERSION": "7"} and web.platforms == ("linux/amd64", "linux/arm64")
    assert web.contexts == {"shared": str(shop / "shared"), "base": "docker-image://busybox"}
    assert web.secrets == (f"id=npm,src={shop}/npmrc",) and web.ssh == ("default",)
    assert targets["worker"].inline == "FROM busybox\nRUN true\n"


def test_a_target_outside_of_the_default_group_is_named(shop: Path) -> None:
    (shop / "Dockerfile").write_text(FROM)
    one = find(shop, target="more").one
    assert one is not None and one.build.context == shop
    assert str(one) == "docker-bake.hcl: the target more is built from Dockerfile"
    with pytest.raises(InputError, match="group of several targets: web, worker"):
        find(shop, target="default")


def test_without_a_default_group_all_targets_are_meant(tmp_path: Path) -> None:
    text = 'target "a" { context = "a" }\ntarget "b" { context = "b" }\n'
    where = written({"docker-bake.hcl": text}, tmp_path)
    assert [one.name for one in find_all(where)] == ["a", "b"]


def test_a_bake_file_in_json(tmp_path: Path) -> None:
    files = {
        "docker-bake.json": '{"target": {"default": {"args": {"A": "1"}}}}',
        "Dockerfile": FROM,
    }
    one = find(written(files, tmp_path.resolve())).one
    assert one is not None and one.name == "default" and one.build.args == {"A": "1"}


@pytest.mark.parametrize(
    ("text", "line"),
    [('target "web" {\n  context =\n}\n', 2), ('target "web" {\n  context = nope\n}\n', 2)],
)
def test_what_buildx_refuses_is_refused_with_its_line(text: str, line: int, tmp_path: Path) -> None:
    where = written({"docker-bake.hcl": text, "Dockerfile": FROM}, tmp_path)
    with pytest.raises(InputError) as caught:
        find(where)
    assert caught.value.location is not None and caught.value.location.line == line


def test_an_unknown_target_is_refused(shop: Path) -> None:
    with pytest.raises(InputError, match="failed to find target nope"):
        find(shop, target="nope")


def test_a_target_on_another_ones_image_is_built_on_it(
    tmp_path: Path, session: Session, base: Callable[[str], str]
) -> None:
    text = (
        'target "tools" {\n  dockerfile = "tools.Dockerfile"\n}\n'
        'target "common" {\n  dockerfile = "common.Dockerfile"\n  contexts = { tools = "target:tools" }\n}\n'
        'target "web" {\n  contexts = { common = "target:common" }\n}\n'
    )
    files = {
        "docker-bake.hcl": text,
        "tools.Dockerfile": f"FROM {base('debian:bookworm-slim')}\nRUN echo made >/tool\n",
        "common.Dockerfile": "FROM tools\nRUN cp /tool /common\n",
        "Dockerfile": "FROM common\nRUN cat /common /tool >/both\n",
    }
    where, config = settled(written(files, tmp_path), BuildOptions(bake_target="web"), links=True)
    ready = with_linked(session, config)
    assert ready.build.contexts == {} and [*ready.bases] == ["common"]
    made = session.build(configured(where, ready))
    assert made.image_id
