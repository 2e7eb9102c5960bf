"""docs/ci.md says what is so."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from imgopt.ci.settings import DEFAULTS, read_settings
from imgopt.report import formats_of

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "ci.md").read_text()


def test_the_configuration_on_the_page_is_valid() -> None:
    (text,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    settings = read_settings(tomllib.loads(text)["ci"])
    assert [image.name or image.match for image in settings.images] == ["worker", "*-slim"]


def test_the_table_names_every_rule_with_its_level() -> None:
    rows = dict(re.findall(r"^\| `([a-z-]+)` \| (off|info|warn|error)\b", PAGE, re.MULTILINE))
    assert rows == {name: rule.level for name, rule in DEFAULTS.items()}


def test_the_page_names_every_format() -> None:
    assert all(f"`{name}`" in PAGE for name in formats_of("ci") if name not in ("html", "csv"))


def test_the_parts_that_the_page_names_exist() -> None:
    files = set(re.findall(r"`((?:ci-templates/|action\.yml|\.pre-commit-hooks)[\w./-]*)", PAGE))
    assert len(files) >= 5 and all((ROOT / file).is_file() for file in files)
