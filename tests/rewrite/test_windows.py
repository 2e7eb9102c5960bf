"""A file for Windows containers is left alone: by the base's name, the platform, the shell or the
folders."""

from __future__ import annotations

from pathlib import Path

import pytest

from imgopt.context.ecosystems import builtin_ecosystems
from imgopt.rewrite.plan import make_plan
from imgopt.rewrite.strategy import ContextFiles, Project
from imgopt.strategies.registry import all_strategies


@pytest.mark.parametrize(
    ("head", "left"),
    [
        ("FROM mcr.microsoft.com/dotnet/sdk:8.0-nanoserver-1809", True),
        ("FROM mcr.microsoft.com/dotnet/framework/sdk:4.8", True),
        ("FROM python:3.12-windowsservercore-ltsc2022", True),
        ("FROM --platform=windows/amd64 mcr.microsoft.com/dotnet/sdk:8.0", True),
        ('FROM corp.example/sdk\nSHELL ["powershell", "-Command"]', True),
        (
            'FROM corp.example/python\nSHELL ["C:\\\\Windows\\\\System32\\\\cmd.exe", "/S", "/C"]',
            True,
        ),
        ("FROM corp.example/python\nWORKDIR C:\\app", True),
        ("FROM corp.example/python\nWORKDIR c:/app", True),
        ("FROM --platform=linux/amd64 mcr.microsoft.com/dotnet/sdk:8.0", False),
        ('FROM python:3.12\nSHELL ["/bin/bash", "-c"]', False),
        ('FROM python:3.12\nSHELL ["pwsh", "-c"]\nSHELL ["/bin/sh", "-c"]', False),
        ("FROM python:3.12\nWORKDIR /app", False),
    ],
)
def test_a_windows_image_is_left_alone(head: str, left: bool, tmp_path: Path) -> None:
    text = f"{head}\nRUN pip install a && dotnet build\nCMD a\n"
    strategies = [one for one in all_strategies() if one.safety == "text"]
    plan = make_plan(text, Project(ContextFiles(tmp_path, {}), builtin_ecosystems()), strategies)
    assert (
        plan.dockerfile == text and all("Windows" in skip.reason for skip in plan.skips)
    ) is left
