"""Where sources write, seen in their text: the call that writes decides, not the one that reads."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from recipes import Recipe

from imgopt.inspect.image_view import ImageView
from imgopt.inspect.sources.written_places import written_by_sources

WRITES = {
    "a file of the working directory": ("a.py", 'open("notes.txt", "a")', "/app"),
    "a binary file": ("a.py", "with open('out/x.bin', mode='wb') as f:", "/app/out"),
    "a joined path": ("a.py", 'open(os.path.join("uploads", "x"), "w")', "/app/uploads"),
    "beside the source": (
        "lib/a.py",
        'open(os.path.join(os.path.dirname(__file__), "up/x"), "w")',
        "/app/lib/up",
    ),
    "a database": ("a.py", "db = sqlite3.connect('data/notes.db')", "/app/data"),
    "the address of a database": ("a.py", "URL = 'sqlite:///notes.db'", "/app"),
    "an absolute address of a database": (".env", "DATABASE_URL=sqlite:////data/notes.db", "/data"),
    "a folder that is made": (
        "a.py",
        "os.makedirs('/var/lib/notes', exist_ok=True)",
        "/var/lib/notes",
    ),
    "a setting for uploads": ("a.py", "app.config['UPLOAD_FOLDER'] = 'uploads'", "/app/uploads"),
    "a log file": ("a.py", "logging.handlers.RotatingFileHandler('logs/a.log')", "/app/logs"),
    "a path object": ("a.py", 'Path("state.json").write_text(s)', "/app"),
    "a stream of Node.js": ("a.js", "fs.createWriteStream('./files/a')", "/app/files"),
    "above the script": (
        "src/a.js",
        "fs.writeFileSync(path.join(__dirname, '..', 'data/x.json'), s)",
        "/app/data",
    ),
    "uploads of multer": ("a.ts", "const upload = multer({ dest: 'uploads/' })", "/app/uploads"),
    "a database of better-sqlite3": ("a.js", 'new Database("app.db")', "/app"),
    "a Go program": ("main.go", 'f, err := os.Create("out/report.csv")', "/app/out"),
    "a Go database": ("main.go", 'db, _ := sql.Open("sqlite3", "./links.db")', "/app"),
    "a Java writer": ("A.java", 'new FileWriter("reports/a.txt")', "/app/reports"),
    "a Java path": ("A.java", 'Files.write(Paths.get("out/a"), b)', "/app/out"),
    "a PHP file": ("a.php", "file_put_contents(__DIR__ . '/cache/x', $s)", "/app/cache"),
    "a Rust file": ("a.rs", 'File::create("dump/x")?', "/app/dump"),
}
READS = {
    "a file that is read": ("a.py", 'open("notes.txt")'),
    "a file that is read with its encoding": ("a.py", 'open("notes.txt", encoding="utf-8")'),
    "a computed folder": ("a.py", 'open(os.path.join(tmp, "x"), "w")'),
    "a computed name": ("a.js", "fs.writeFileSync(`${folder}/x`, s)"),
    "a method of that name": ("a.py", 'webbrowser.open("page", "a")'),
    "a database in memory": ("a.py", 'sqlite3.connect(":memory:")'),
    "a database elsewhere": ("a.py", "URL = 'postgresql://db/x'"),
    "no source": ("a.md", 'open("notes.txt", "w")'),
}


def _sides(view_of: Callable[..., ImageView], name: str, text: str) -> set[str]:
    config = {"WorkingDir": "/app"}
    view = view_of(
        Recipe((("ADD rootfs", {"etc/x": ""}), ("COPY . .", {f"app/{name}": text})), config), 1
    )
    return {folder for folder, _ in written_by_sources(view)}


@pytest.mark.parametrize("case", WRITES)
def test_a_call_that_writes_names_its_folder(case: str, view_of: Callable[..., ImageView]) -> None:
    name, text, folder = WRITES[case]
    assert _sides(view_of, name, text) == {folder}


@pytest.mark.parametrize("case", READS)
def test_what_does_not_write_or_is_computed_names_none(
    case: str, view_of: Callable[..., ImageView]
) -> None:
    assert _sides(view_of, *READS[case]) == set()


@pytest.mark.parametrize(
    ("name", "text", "folder"),
    [
        ("a.yaml", "static: /srv/static\n", ""),
        ("a.json", '{"templates": "/srv/pages", "title": "log"}', ""),
        ("a.ini", "[server]\npath = /srv/pages\n", ""),
        ("a.yaml", "log_level: info\nspool: /etc/app\n", ""),
        ("a.yaml", "spool: /var/spool/inbox\n", "/var/spool/inbox"),
        ("a.json", '{"ledger": "/var/lib/inbox/ledger.db"}', "/var/lib/inbox"),
        ("a.toml", "[cache]\ndir = '/var/cache/app'\n", "/var/cache/app"),
        (".env", "UPLOAD_DIR=/srv/uploads\n", "/srv/uploads"),
        ("a.properties", "app.log.file=/var/log/app/app.log\n", "/var/log/app"),
    ],
)
def test_settings_name_a_folder_to_write_to_by_their_key(
    view_of: Callable[..., ImageView], name: str, text: str, folder: str
) -> None:
    view = view_of(Recipe((("COPY . /app", {f"app/{name}": text}),), {"WorkingDir": "/app"}))
    assert [place for place, _ in written_by_sources(view)] == ([folder] if folder else [])


def test_variables_name_a_folder_to_write_to(view_of: Callable[..., ImageView]) -> None:
    env = ["PATH=/usr/bin", "UPLOADS=/opt/inbox/uploads", "PAGES=/srv/pages", "LOG=/dev/stdout"]
    view = view_of(Recipe((("COPY . /app", {"app/x": ""}),), {"WorkingDir": "/app", "Env": env}))
    assert list(written_by_sources(view)) == [("/opt/inbox/uploads", "variable UPLOADS")]
