"""Which programs only serve files, and what is asked of them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from recipes import File, Recipe

from imgopt.inspect.image_view import ImageView
from imgopt.inspect.sites.file_servers import FileServer, NoFileServer, file_server
from imgopt.inspect.sites.site_paths import NO_FILE, kinds, site_probes

RUN = File("#!/usr/bin/env node\n", 0o755)
PROGRAMS = {
    f"usr/local/bin/{name}": RUN
    for name in ("serve", "http-server", "sirv", "npm", "npx", "vite", "node")
}


def view(view_of: Callable[..., ImageView], command: list[str], **files: str) -> ImageView:
    site = {"build/index.html": "<p>", "dist/index.html": "<p>", "package.json": "{}", **files}
    layer = {**PROGRAMS, **{f"app/{path}": text for path, text in site.items()}}
    config = {"Cmd": command, "WorkingDir": "/app", "Env": ["PATH=/usr/local/bin:/usr/bin"]}
    return view_of(Recipe((("COPY . .", layer),), config))


@pytest.mark.parametrize(
    ("command", "found"),
    [
        (["serve", "-s", "build", "-l", "3000"], FileServer("serve", "/app/build", 3000, "PORT")),
        (
            ["serve", "-s", "build", "-l", "tcp://0.0.0.0:80"],
            FileServer("serve", "/app/build", 80, "PORT"),
        ),
        (
            ["serve", "--single", "--listen=8080", "dist"],
            FileServer("serve", "/app/dist", 8080, "PORT"),
        ),
        (["npx", "serve", "-s", "build"], FileServer("serve", "/app/build", None, "PORT")),
        (["/bin/sh", "-c", "npx serve -s build"], FileServer("serve", "/app/build", None, "PORT")),
        (
            ["http-server", "dist", "-p8080", "-c-1"],
            FileServer("http-server", "/app/dist", 8080, "PORT"),
        ),
        (
            ["vite", "preview", "--host", "--port", "4173"],
            FileServer("vite preview", "/app/dist", 4173, ""),
        ),
        (
            ["vite", "preview", "--host", "0.0.0.0"],
            FileServer("vite preview", "/app/dist", None, ""),
        ),
        (
            ["npx", "vite", "preview", "--outDir", "build"],
            FileServer("vite preview", "/app/build", None, ""),
        ),
    ],
)
def test_a_server_of_files_is_known_by_its_command_line(
    command: list[str], found: FileServer, view_of: Callable[..., ImageView]
) -> None:
    assert file_server(view(view_of, command)) == found


@pytest.mark.parametrize(
    "settings",
    [
        "// https://vite.dev/config/\nexport default defineConfig({ plugins: [vue()] })",
        "/*\n * no proxy here\n */\nexport default { define: { API: 'https://api.example.com' } } // headers: none",
    ],
)
def test_what_comments_and_addresses_say_changes_no_answer(
    settings: str, view_of: Callable[..., ImageView]
) -> None:
    found = file_server(
        view(view_of, ["vite", "preview", "--host"], **{"vite.config.ts": settings})
    )
    assert found == FileServer("vite preview", "/app/dist", None, "")


@pytest.mark.parametrize(
    ("command", "files", "reason"),
    [
        (["serve", "-s", "build", "--cors"], {}, "--cors"),
        (["serve", "-s", "build", "-c", "other.json"], {}, "-c"),
        (["http-server", "dist", "-P", "http://backend:8080"], {}, "-P"),
        (["http-server", "dist", "-S"], {}, "-S"),
        (["serve", "-s", "build"], {"build/serve.json": "{}"}, "serve.json"),
        (["serve", "build"], {"package.json": '{"static": {"rewrites": []}}'}, "package.json"),
        (
            ["vite", "preview", "--host"],
            {"vite.config.js": "preview: { proxy: {'/api': 'x'} }"},
            "vite.config.js",
        ),
        (["vite", "preview", "--host"], {"vite.config.ts": "server: { https: {} }"}, "vite.config"),
        (
            ["vite", "preview"],
            {"vite.config.ts": "x: ['a/*', '//b'], proxy: {}, y: '*/'"},
            "vite.config",
        ),
        (
            ["vite", "preview", "--host"],
            {"vite.config.ts": "plugins: [{ configurePreviewServer() {} }]"},
            "vite.config",
        ),
        (["serve", "-s", "public"], {}, "has no index.html"),
        (["vite", "--host"], {}, "compiles what it serves"),
        (["npx", "react-scripts", "start"], {}, "compiles what it serves"),
    ],
)
def test_what_does_more_is_refused_with_the_fact(
    command: list[str], files: dict[str, str], reason: str, view_of: Callable[..., ImageView]
) -> None:
    found = file_server(view(view_of, command, **files))
    assert isinstance(found, NoFileServer)
    assert reason in found.reason


@pytest.mark.parametrize(
    "command", [["node", "server.js"], ["npm", "start"], ["sh", "-c", "./env.sh && serve -s build"]]
)
def test_a_program_of_ones_own_is_none_and_needs_no_words(
    command: list[str], view_of: Callable[..., ImageView]
) -> None:
    assert file_server(view(view_of, command)) == NoFileServer()
    assert site_probes(view(view_of, command)) == ()


def test_one_file_of_every_kind_is_asked_for(view_of: Callable[..., ImageView]) -> None:
    files = {
        "build/static/main.js": "long long",
        "build/a.js": "1",
        "build/CNAME": "x",
        "build/about.html": "x",
        "build/docs/index.html": "x",
        "build/.hidden": "x",
        "build/.git/config.json": "x",
        "build/.well-known/a.json": "x",
        "build/with space.css": "x",
    }
    found = kinds(view(view_of, ["serve", "-s", "build"], **files), "/app/build")
    assert found == {
        "bare": "/CNAME",
        "hidden file": "/.git/config.json",
        "hidden name": "/.hidden",
        ".js": "/a.js",
        "index": "/index.html",
        "index name": "/index",
        "page file": "/about.html",
        "page": "/about",
        "page folder": "/about/",
        "folder": "/docs/",
        "folder name": "/docs",
        "folder index": "/docs/index.html",
        "empty folder": "/static/",
        "empty folder name": "/static",
        "missing file": NO_FILE,
    }
