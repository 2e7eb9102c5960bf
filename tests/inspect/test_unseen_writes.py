"""A service whose sources write nothing needs no rights to them; where one may, it keeps them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from recipes import File, Files, Recipe

from imgopt.inspect.image_view import ImageView
from imgopt.inspect.sources.unseen_writes import may_write_unseen

BASE = ("ADD rootfs", {"/etc/os-release": "ID=debian\n"})


def unseen(view_of: Callable[..., ImageView], files: Files) -> str:
    layers = (BASE, ("WORKDIR /app", {"/app": File(folder=True)}), ("COPY . /app", files))
    return may_write_unseen(view_of(Recipe(layers, {"WorkingDir": "/app"}), 1))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.py", "open(path, 'w').write(x)"),
        ("a.py", "open(os.path.join(folder, name), mode='ab')"),
        ("a.py", "with open(\n    path,\n    how,\n) as file:\n    pass"),
        ("a.py", "Path(folder, name).write_text(x)"),
        ("a.py", "(FOLDER / name).open('w')"),
        ("a.py", "engine = create_engine('sqlite:///' + name)"),
        ("a.py", "photo = models.ImageField()"),
        ("a.py", "upload.save(os.path.join(folder, name))"),
        ("a.py", "shutil.copyfileobj(a, b)"),
        ("a.py", "handlers = {'class': 'logging.handlers.RotatingFileHandler'}"),
        ("a.py", "subprocess.run(words)"),
        ("a.js", "fs.writeFileSync(path.join(folder, name), x)"),
        ("a.mjs", "await pipeline(request, createWriteStream(where))"),
        ("a.js", "const upload = multer({ dest: folder })"),
        ("a.js", "new winston.transports.File({ filename })"),
        ("a.js", "const db = new Database(file)  // better-sqlite3"),
        ("a.js", "require('child_process').exec(words)"),
        ("a.ts", "export {}"),  # no facts say what writes there
        ("a.rb", "puts 1"),
        ("run.sh", "python make.py\nexec python app.py"),
        ("main.go", "package main"),  # a program may do anything
        ("app.bin", "\x7fELF"),
    ],
)
def test_a_source_that_may_write_is_named(
    view_of: Callable[..., ImageView], name: str, text: str
) -> None:
    assert unseen(view_of, {f"/app/{name}": text})


@pytest.mark.parametrize(
    "beside", ["next.config.js", "store.sqlite3", "notes.db", "json-server.json", "a.ipynb"]
)
def test_what_writes_beside_the_source_by_itself_is_named(
    view_of: Callable[..., ImageView], beside: str
) -> None:
    assert unseen(view_of, {"/app/a.js": "1", f"/app/{beside}": "x"})


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.py", "open(path).read()"),
        ("a.py", "print(1)"),
        ("a.py", "open(os.path.join(folder, name), 'rb')"),
        ("a.py", "open(path, encoding='utf-8')"),
        ("a.py", "open('a', 'r', encoding='utf-8')"),
        ("a.py", "image = Image.open(upload)"),
        ("a.py", "text = (FOLDER / 'words.txt').open().read(); found = dict(a).copy()"),
        ("a.py", "session.add(row); session.commit()"),
        ("a.py", "os.makedirs('/data/uploads')  # a place that the text names"),
        ("a.js", "fs.writeFileSync('/data/state.json', text)"),
        ("a.js", "fs.readFileSync(name); app.listen(80)"),
        ("a.js", "const found = /a/.exec(text); store.set('a', 1)"),
    ],
)
def test_a_source_that_only_reads_is_not(
    view_of: Callable[..., ImageView], name: str, text: str
) -> None:
    assert unseen(view_of, {f"/app/{name}": text, "/app/page.html": "<p>"}) == ""


def test_a_script_that_only_starts_a_program_writes_nothing(
    view_of: Callable[..., ImageView],
) -> None:
    files = {"/app/a.py": "print(1)", "/app/run.sh": "export A=1\nexec python a.py\n"}
    assert unseen(view_of, files) == ""
