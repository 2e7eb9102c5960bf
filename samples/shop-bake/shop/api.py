"""The shop's goods over HTTP."""

from flask import Flask, abort

from shop.goods import GOODS

app = Flask(__name__)


@app.get("/")
def index() -> str:
    return "".join(f'<a href="/goods/{name}">{name}</a> ' for name in GOODS)


@app.get("/goods/<name>")
def good(name: str) -> dict[str, object]:
    if name not in GOODS:
        abort(404)
    return {"name": name, "cents": GOODS[name]}
