import os

import bottle
import waitress
from dotenv import load_dotenv

from nearest import names, nearest

load_dotenv()
app = bottle.Bottle()
KNOWN = names()


@app.get("/health")
def health():
    return {"status": "ok", "colours": len(KNOWN)}


@app.get("/nearest/<rgb>")
def find(rgb):
    try:
        far, name = nearest(rgb, KNOWN)
    except ValueError as error:
        bottle.abort(400, str(error))
    return {"name": name, "distance": round(far, 2), "motto": os.environ.get("MOTTO", "")}


def main():
    waitress.serve(app, host="0.0.0.0", port=int(os.environ.get("PORT", "5000")))
