"""Reads photographed receipts: the text, and the total that stands on them."""

import re
from pathlib import Path

import pytesseract
from flask import Flask, abort, jsonify, render_template, request
from PIL import Image, ImageOps

DEMO = Path(__file__).parent / "demo"
TOTAL = re.compile(r"(?:total|summe|betrag)\D*(\d+[.,]\d\d)", re.IGNORECASE)

app = Flask(__name__)


def read(file, language):
    image = ImageOps.autocontrast(ImageOps.grayscale(Image.open(file)))
    text = pytesseract.image_to_string(image, lang=language)
    total = TOTAL.search(text)
    return {"lines": text.split("\n\n"), "total": total[1].replace(",", ".") if total else None}


def language():
    wanted = request.args.get("language", "eng")
    return wanted if wanted in ("eng", "deu") else abort(400)


@app.get("/")
def index():
    return render_template("index.html", demos=sorted(path.stem for path in DEMO.glob("*.png")))


@app.post("/read")
def read_upload():
    return jsonify(read(request.files["image"], language()))


@app.get("/demo/<name>")
def read_demo(name):
    path = DEMO / f"{name}.png"
    return jsonify(read(path, language())) if path.is_file() and path.parent == DEMO else abort(404)


@app.get("/health")
def health():
    return jsonify(status="ok")
