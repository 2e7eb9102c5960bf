"""What changed in a container, without what the engine made for its mounts."""

from __future__ import annotations

import pytest

from imgopt.engine.container import Change, without_mount_points

SECRET = "/run/secrets/password"


@pytest.mark.parametrize(
    ("paths", "mounted", "left"),
    [
        (("/run", "/run/app.pid"), (), ("/run", "/run/app.pid")),
        (("/run", "/run/app.pid", "/run/secrets", SECRET), (SECRET,), ("/run", "/run/app.pid")),
        (("/run", "/run/secrets", "/run/secrets/own", SECRET), (SECRET,),
         ("/run", "/run/secrets", "/run/secrets/own")),
        (("/database", "/data"), ("/data",), ("/database",)),
        (("/run", "/run/secrets", SECRET), (SECRET,), ()),
    ],
    ids=["nothing is mounted", "a file beside", "a file in the folder", "a longer name", "nothing else"],
)  # fmt: skip
def test_a_place_of_a_mount_is_no_change(
    paths: tuple[str, ...], mounted: tuple[str, ...], left: tuple[str, ...]
) -> None:
    changes = [Change(path, "added") for path in paths]
    assert tuple(one.path for one in without_mount_points(changes, mounted)) == left
