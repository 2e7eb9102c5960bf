"""Routes that change something, as sources name them: the method, the path, and what is sent."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from recipes import Recipe

from imgopt.inspect.image_view import ImageView
from imgopt.inspect.sources.of_context import context_sources
from imgopt.inspect.sources.write_routes import writes, written_in
from imgopt.requests.request import filled

ROUTES = {
    "flask": ("a.py", '@app.route("/notes", methods=["GET", "POST"])\ndef a(): ...', "POST /notes"),
    "flask over several lines": (
        "a.py",
        '@bp.route(\n    "/notes/<int:id>",\n    methods=["PUT"],\n)',
        "PUT /notes/1",
    ),
    "flask's own word": ("a.py", '@app.post("/notes")', "POST /notes"),
    "flask behind a prefix": (
        "a.py",
        'bp = Blueprint("b", __name__, url_prefix="/api")\n@bp.post("/notes")',
        "POST /api/notes",
    ),
    "fastapi": ("a.py", '@router.patch("/items/{item_id}", status_code=204)', "PATCH /items/1"),
    "fastapi behind a prefix": (
        "a.py",
        'router = APIRouter(prefix="/v1")\n@router.delete("/items/{id}")',
        "DELETE /v1/items/1",
    ),
    "aiohttp": ("a.py", 'app.router.add_post("/jobs", start)', "POST /jobs"),
    "starlette": ("a.py", 'Route("/jobs", start, methods=["POST"])', "POST /jobs"),
    "a class with a method": (
        "a.py",
        'class Jobs(MethodView):\n    def post(self):\n        ...\napp.add_url_rule("/jobs", view_func=x)',
        "POST /jobs",
    ),
    "django": (
        "urls.py",
        'if request.method == "POST": ...\nurlpatterns = [\n    path("jobs/", jobs),\n]',
        "POST /jobs/",
    ),
    "a handler of one's own": (
        "a.py",
        'JOBS = {"/start": start}\nclass H(BaseHTTPRequestHandler):\n    def do_POST(self): ...',
        "POST /start",
    ),
    "wsgi": ("a.py", 'JOBS = {"/go": 1}\nif environ["REQUEST_METHOD"] == "PUT":', "PUT /go"),
    "express": ("a.js", "app.post('/links/:id', express.json(), (q, s) => 0)", "POST /links/1"),
    "express with a chain": (
        "a.js",
        "router.route('/links')\n  .get(list)\n  .post(add)\n  .delete(none);",
        "DELETE /links",
    ),
    "fastify": ("a.js", "fastify.route({ method: 'PUT', url: '/links', handler })", "PUT /links"),
    "hapi": ("a.js", "server.route({ path: '/x', method: ['POST'], handler })", "POST /x"),
    "nest": ("a.ts", "@Controller('cats')\nclass A {\n  @Post()\n  add() {}\n}", "POST /cats"),
    "nest with a path": (
        "a.ts",
        "@Controller('cats')\nclass A {\n  @Put(':id/name')\n  x() {}\n}",
        "PUT /cats/1/name",
    ),
    "nest, compiled": (
        "dist/a.js",
        "__decorate([ (0, common_1.Post)('add') ], A);\nA = __decorate([(0, common_1.Controller)('cats')], A);",
        "POST /cats/add",
    ),
    "a server of one's own": ("a.js", 'if (req.method === "POST") done();', "POST /"),
    "next": ("app/api/notes/route.ts", "export async function POST(request) {}", "POST /api/notes"),
    "next with a parameter": (
        "src/app/api/notes/[id]/route.js",
        "export const DELETE = async () => {}",
        "DELETE /api/notes/1",
    ),
    "next's pages": (
        "pages/api/hello.js",
        "export default function h(req, res) {}",
        "POST /api/hello",
    ),
    "spring": (
        "A.java",
        '@RestController\n@RequestMapping("/api")\npublic class A {\n@PostMapping("/rates")\nint x() {}',
        "POST /api/rates",
    ),
    "spring without a path": (
        "A.java",
        '@RequestMapping("/rates")\npublic class A {\n@DeleteMapping\nvoid x() {}',
        "DELETE /rates",
    ),
    "jax-rs": (
        "A.java",
        '@Path("/rates")\npublic class A {\n@POST\n@Consumes("x")\n@Path("/new")\nvoid x() {}',
        "POST /rates/new",
    ),
    "ktor": ("A.kt", 'routing {\n    post("/rates") { }\n}', "POST /rates"),
    "net/http": ("main.go", 'mux.HandleFunc("POST /jobs/{id}", f)', "POST /jobs/1"),
    "net/http that looks at the method": (
        "main.go",
        'http.HandleFunc("/jobs", func() { if r.Method != http.MethodPost { return } })',
        "POST /jobs",
    ),
    "gin": ("main.go", 'r.PUT("/jobs/:id", f)', "PUT /jobs/1"),
    "gin behind a group": ("main.go", 'v1 := r.Group("/v1")\nv1.POST("/jobs", f)', "POST /v1/jobs"),
    "chi": ("main.go", 'r.Post("/jobs", f)', "POST /jobs"),
    "gorilla": ("main.go", 'r.HandleFunc("/jobs", f).Methods("POST", "OPTIONS")', "POST /jobs"),
    "actix": ("main.rs", '#[post("/tiles")]', "POST /tiles"),
    "axum": ("main.rs", '.route("/tiles", get(a).post(b))', "POST /tiles"),
    "laravel": ("web.php", "Route::post('/x', f);", "POST /x"),
    "symfony": ("A.php", "#[Route('/x', name: 'x', methods: ['POST'])]", "POST /x"),
    "a page of php": ("public/send.php", "<?php echo $_POST['a'];", "POST /send.php"),
    "sinatra": ("a.rb", "post '/x' do", "POST /x"),
    "rails": ("routes.rb", "  resources :notes", "POST /notes"),
    "minimal interfaces": ("A.cs", 'app.MapPost("/x", f);', "POST /x"),
    "a controller": ("A.cs", '[Route("api/x")]\nclass X {\n[HttpPut("{id}")]', "PUT /api/x/1"),
}
NONE = {
    "only read": ("a.py", '@app.route("/x", methods=["GET"])'),
    "a call of another service": ("a.py", 'requests.post("https://x.org/y", json={})'),
    "a path that is a variable": ("a.js", "app.post(path, f)"),
    "a test": ("tests/test_a.py", '@app.post("/x")'),
    "a package": ("node_modules/x/a.js", "app.post('/x', f)"),
    "a file of the image beside a handler": ("a.py", 'open("/etc/app.conf")\n@app.get("/y")'),
}


def found(view_of: Callable[..., ImageView], name: str, text: str) -> list[str]:
    layers = (("ADD rootfs", {"etc/x": ""}), ("COPY . .", {f"app/{name}": text}))
    made = writes(view_of(Recipe(layers, {"WorkingDir": "/app"}), 1))
    return [f"{request.method} {filled(request.path, {})}" for request in made.routes]


@pytest.mark.parametrize("case", ROUTES)
def test_a_route_is_found_with_its_method(case: str, view_of: Callable[..., ImageView]) -> None:
    name, text, route = ROUTES[case]
    assert route in found(view_of, name, text)


@pytest.mark.parametrize("case", NONE)
def test_what_is_no_route_is_not_asked(case: str, view_of: Callable[..., ImageView]) -> None:
    assert found(view_of, *NONE[case]) == []


def test_a_path_of_a_file_is_no_route_of_a_handler(view_of: Callable[..., ImageView]) -> None:
    text = 'TABLE = "/etc/jobs/list"\nJOBS = {"/start": 1}\nclass H:\n    def do_POST(self): ...'
    assert found(view_of, "a.py", text) == ["POST /", "POST /start"]


def test_a_route_is_asked_behind_what_another_source_puts_in_front_of_it() -> None:
    texts = [
        ("/app/main.go", 'v1 := r.Group("/api")\nusers.Register(v1.Group("/users"))'),
        ("/app/users.go", 'r.POST("/login", f)'),
    ]
    paths = [request.path for request in written_in(texts).routes]
    assert paths[:1] == ["/login"]
    assert {"/api/login", "/users/login", "/api/users/login"} <= set(paths)
    texts = [("/app/app.js", "app.use('/api', r)"), ("/app/r.js", "r.put('/x', f)")]
    assert "/api/x" in [request.path for request in written_in(texts).routes]


FIELDS = {
    "express": ("a.js", "app.post('/x', (q, s) => s.json(q.body.title))", ["title"]),
    "express, taken apart": (
        "a.js",
        "app.post('/x', f); const { title, text: t = 1 } = req.body;",
        ["title", "text"],
    ),
    "flask": (
        "a.py",
        '@app.post("/x")\ndef a(): request.json["title"]; request.form.get("mood")',
        ["title", "mood"],
    ),
    "a schema of zod's": (
        "a.ts",
        "const New = z.object({ url: z.string().url(), n: z.number() })\napp.post('/x', f)",
        ["url", "n"],
    ),
    "a form of a library": (
        "a.py",
        "class F(Form):\n    mail = StringField()\n@app.post('/x')",
        ["mail"],
    ),
    "go": (
        "a.go",
        'r.POST("/x", f)\ntype N struct { T string `json:"title,omitempty"` }',
        ["title"],
    ),
}


@pytest.mark.parametrize("case", FIELDS)
def test_a_body_has_the_fields_that_its_source_reads(case: str) -> None:
    name, text, names = FIELDS[case]
    (request,) = written_in([(f"/app/{name}", text)]).routes
    assert list(json.loads(request.body)) == names


def test_what_a_post_made_is_changed_and_taken_away_by_its_id() -> None:
    text = "app.post('/cats', f); app.delete('/cats/:id', f); app.put('/dogs/:id', f)"
    made, gone, other = written_in([("/app/a.js", text)]).routes
    assert ("made cats id", "json:id") in made.saves
    assert filled(gone.path, {"made cats id": "x7"}) == "/cats/x7"
    assert other.path == "/dogs/1"


def test_the_fields_of_a_body_may_stand_in_a_source_beside() -> None:
    texts = [
        (
            "/app/cats/cats.ts",
            "@Controller('cats')\nclass A {\n @Post() add(@Body() dto: NewCat) {}\n}",
        ),
        ("/app/cats/dto/new.ts", "class NewCat {\n  @IsString()\n  readonly name: string;\n}"),
        ("/app/dogs/dto.ts", "class NewDog {\n  @IsString()\n  breed: string;\n}"),
    ]
    (request,) = written_in(texts).routes
    assert json.loads(request.body) == {"name": "imgopt"}


SOCKETS = {
    "fastapi": ("a.py", '@app.websocket("/live/{room}")', "/live/1"),
    "ws": ("a.js", "new WebSocketServer({ server, path: '/live' })", "/live"),
    "ws without a path": ("a.js", "const wss = new WebSocket.Server({ port: 1 })", "/"),
    "go": ("a.go", 'http.HandleFunc("/ws", serve)', "/ws"),
    "java": ("A.java", '@ServerEndpoint("/live")', "/live"),
}


@pytest.mark.parametrize("case", SOCKETS)
def test_a_websocket_is_found(case: str) -> None:
    name, text, path = SOCKETS[case]
    assert path in written_in([(f"/app/{name}", text)]).sockets


def test_grpc_is_not_asked_and_that_is_said() -> None:
    (said,) = written_in([("/app/a.py", "import grpc\n")]).unasked
    assert "gRPC" in said
    assert written_in([("/app/a.py", "import flask\n")]).unasked == ()


def test_a_description_among_the_files_gives_bodies(view_of: Callable[..., ImageView]) -> None:
    text = '{"openapi": "3.0.0", "paths": {"/notes": {"post": {}}}}'
    layers = (("ADD rootfs", {"etc/x": ""}), ("COPY . .", {"app/docs/openapi.json": text}))
    (request,) = writes(view_of(Recipe(layers, {"WorkingDir": "/app"}), 1)).described
    assert (request.method, request.path) == ("POST", "/notes")


def test_the_context_is_read_where_the_image_has_only_what_was_built(
    view_of: Callable[..., ImageView], tmp_path: Path
) -> None:
    (tmp_path / "main.go").write_text('mux.HandleFunc("POST /jobs", f)')
    (tmp_path / "secret.go").write_text('mux.HandleFunc("POST /hidden", f)')
    (tmp_path / ".dockerignore").write_text("secret.go\n")
    layers = (("ADD rootfs", {"etc/x": ""}), ("COPY . .", {"app/server": "elf"}))
    made = writes(view_of(Recipe(layers, {"WorkingDir": "/app"}), 1), context_sources(tmp_path))
    assert [request.path for request in made.routes] == ["/jobs"]
