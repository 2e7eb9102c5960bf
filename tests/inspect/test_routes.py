"""Routes that no page links to: read in the sources, as one asks for them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from recipes import Recipe

from imgopt.inspect.image_view import ImageView
from imgopt.inspect.sources.routes import described, routes

ROUTES = {
    "flask": ("a.py", '@app.route("/notes/<int:id>")\ndef a(): ...', "/notes/1"),
    "flask with methods": ("a.py", '@app.route("/x", methods=["GET", "POST"])', "/x"),
    "fastapi": ("a.py", '@router.get("/items/{item_id}", response_model=Item)', "/items/1"),
    "fastapi behind a prefix": (
        "a.py",
        'r = APIRouter(prefix="/api")\n@r.get("/items")',
        "/api/items",
    ),
    "django": ("urls.py", 'urlpatterns = [\n    path("about/", views.about),\n]', "/about/"),
    "express": ("a.js", "app.get('/links/:id', (q, s) => 0)", "/links/1"),
    "express behind a router": ("a.js", "app.use('/api', router)\nrouter.get('/x', f)", "/api/x"),
    "nest": ("a.ts", "@Controller('cats')\nexport class A {\n  @Get()\n  all() {}\n}", "/cats/"),
    "spring": ("A.java", '@GetMapping("/rates/{code}")', "/rates/1"),
    "spring behind a mapping": (
        "A.java",
        '@RequestMapping("/api")\nclass A {\n@GetMapping("/x")',
        "/api/x",
    ),
    "net/http": ("main.go", 'mux.HandleFunc("/almanac", f)', "/almanac"),
    "net/http with a method": ("main.go", 'mux.HandleFunc("GET /almanac", f)', "/almanac"),
    "gin": ("main.go", 'r.GET("/x/:id", f)', "/x/1"),
    "actix": ("main.rs", '#[get("/tiles/{z}")]', "/tiles/1"),
    "axum": ("main.rs", '.route("/tiles", get(f))', "/tiles"),
    "laravel": ("web.php", "Route::get('/x', f);", "/x"),
    "sinatra": ("a.rb", "get '/x' do", "/x"),
    "a handler of one's own": ("a.py", 'if self.path == "/state":', "/state"),
    "a server of one's own": ("a.js", "if (request.url === '/state') {", "/state"),
    "a static file": ("static/site.css", "body {}", "/static/site.css"),
}
NONE = {
    "a route for POST alone": ("a.py", '@app.route("/x", methods=["POST"])'),
    "a call of the same name": ("a.py", 'session.get("/x")'),
    "a variable": ("a.js", "app.get(path, f)"),
    "a setting of express": ("a.js", "app.get('view engine')"),
    "a test": ("tests/test_a.py", '@app.get("/x")'),
}


def found(view_of: Callable[..., ImageView], name: str, text: str) -> tuple[str, ...]:
    layers = (("ADD rootfs", {"etc/x": ""}), ("COPY . .", {f"app/{name}": text}))
    return routes(view_of(Recipe(layers, {"WorkingDir": "/app"}), 1))


@pytest.mark.parametrize("case", ROUTES)
def test_a_route_of_a_framework_is_found(case: str, view_of: Callable[..., ImageView]) -> None:
    name, text, path = ROUTES[case]
    assert path in found(view_of, name, text)


@pytest.mark.parametrize("case", NONE)
def test_what_is_no_route_for_get_is_not_asked(
    case: str, view_of: Callable[..., ImageView]
) -> None:
    assert found(view_of, *NONE[case]) == ()


def test_paths_of_a_description_are_those_with_get() -> None:
    body = b'{"openapi": "3.1.0", "paths": {"/items/{id}": {"get": {}}, "/new": {"post": {}}}}'
    assert described("application/json", body) == ("/items/1",)


@pytest.mark.parametrize(
    "body", [b"", b"[]", b'{"paths": {"/x": {"get": {}}}}', b'{"openapi": "3", "paths": [1]}']
)
def test_what_describes_nothing_gives_no_paths(body: bytes) -> None:
    assert described("application/json", body) == ()
