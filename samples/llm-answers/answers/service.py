"""The service: /search finds passages, /answer streams an answer made from them.

With OPENAI_BASE_URL the passages go to that model as context; without it the best passages are the answer.
"""

import asyncio
import json
import os
from pathlib import Path

import httpx
import numpy as np
from fastapi import FastAPI, Query
from fastapi.responses import HTMLResponse, StreamingResponse

from answers.embedding import Embedder

INDEX = Path(os.environ.get("INDEX", "index"))
MODEL = os.environ.get("OPENAI_MODEL", "gpt-4o-mini")

app = FastAPI(title="Answers", version="0.3.0")
embed = Embedder()
vectors = np.load(INDEX / "vectors.npy")
passages = json.loads((INDEX / "passages.json").read_text())


def search(question, best=3):
    scores = vectors @ embed(question)
    return [{**passages[i], "score": round(float(scores[i]), 3)} for i in np.argsort(-scores)[:best]]


async def from_model(question, found):
    context = "\n\n".join(passage["text"] for passage in found)
    messages = [
        {"role": "system", "content": f"Answer from this text only:\n{context}"},
        {"role": "user", "content": question},
    ]
    headers = {"Authorization": f"Bearer {os.environ.get('OPENAI_API_KEY', '')}"}
    body = {"model": MODEL, "messages": messages, "stream": True}
    url = os.environ["OPENAI_BASE_URL"].rstrip("/") + "/chat/completions"
    async with (
        httpx.AsyncClient(timeout=60) as client,
        client.stream("POST", url, json=body, headers=headers) as answer,
    ):
        async for line in answer.aiter_lines():
            if line.startswith("data: {"):
                yield json.loads(line[6:])["choices"][0]["delta"].get("content") or ""


async def from_passages(found):
    for word in found[0]["text"].split():
        yield word + " "
        await asyncio.sleep(0)
    yield f"({found[0]['source']})\n"


@app.get("/health")
def health():
    return {"status": "ok", "passages": len(passages)}


@app.get("/search")
def find(q: str = Query(min_length=2, max_length=500)):
    return search(q)


@app.get("/answer")
async def answer(q: str = Query(min_length=2, max_length=500)):
    found = await asyncio.to_thread(search, q)
    words = from_model(q, found) if "OPENAI_BASE_URL" in os.environ else from_passages(found)
    return StreamingResponse(words, media_type="text/plain; charset=utf-8")


@app.get("/", response_class=HTMLResponse)
def index():
    return "<!doctype html><title>Answers</title><form action=answer><input name=q size=60><button>Ask</button></form>"
