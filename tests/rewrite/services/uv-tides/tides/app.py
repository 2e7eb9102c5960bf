import csv
from pathlib import Path

from fastapi import FastAPI, HTTPException

app = FastAPI(title="Tides")
TABLE = Path("data/tides.csv")


@app.get("/health")
def health() -> dict[str, str]:
    return {"status": "ok"}


@app.get("/tides/{port}")
def tides(port: str) -> list[dict[str, str]]:
    rows = [row for row in csv.DictReader(TABLE.open()) if row["port"] == port]
    if not rows:
        raise HTTPException(404, f"no tides for {port}")
    return rows
