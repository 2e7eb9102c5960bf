"""JSON and YAML, read safely."""

from __future__ import annotations

import json
from typing import Any

import yaml


def loaded(data: bytes) -> Any:
    """The value of a JSON or YAML text; None for what is neither."""
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        pass
    try:
        text = data.decode()
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text)):
            return None  # a few lines of them may stand for more than a machine holds
        return json.loads(json.dumps(yaml.safe_load(text), default=str))
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError, ValueError, TypeError):
        return None
