"""The [smoke] table reaches every command that runs an image, with nothing left out."""

from __future__ import annotations

from pathlib import Path

from imgopt.cli.options import smoke_settings
from imgopt.config import Config, SmokeSection
from imgopt.run.settings import settings_of


def test_no_key_of_the_table_is_lost_on_the_way() -> None:
    section = SmokeSection(
        http=["/"], run=["true"], ports=[1], env={"A": "1"}, env_file="e", mounts=["/a:/b"], command=["x"],
        network="host", start_timeout=1.0, stop_timeout=2.0,
    )  # fmt: skip
    found = settings_of(section, Path("folder"))
    assert found.env_file == Path("folder/e")
    assert (found.network, found.command, found.mounts) == ("host", ("x",), ("/a:/b",))
    assert (found.http, found.run, found.ports, dict(found.env)) == (
        ("/",),
        ("true",),
        (1,),
        {"A": "1"},
    )
    assert (found.start_timeout, found.stop_timeout) == (1.0, 2.0)


def test_the_command_line_takes_the_same_way() -> None:
    assert smoke_settings(Config(smoke=SmokeSection(network="host"))).network == "host"
