"""Dice that fall as their seed has it."""

import random
import signal
import sys

import bottle
import waitress

app = bottle.Bottle()


@app.get("/health")
def health():
    return {"status": "ok"}


@app.get("/roll/<seed:int>")
def roll(seed):
    return {"dice": [random.Random(seed).randint(1, 6) for _ in range(1)]}


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    waitress.serve(app, host="0.0.0.0", port=8000)
