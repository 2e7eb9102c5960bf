"""Answers a question with what the store knows about it, word by word as the model says it."""

import json
import os
from collections.abc import Iterator

import httpx
import psycopg
import redis
from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from pydantic import BaseModel

app = FastAPI(title="agent-chat")
MODEL = os.environ["MODEL_URL"]
HEAD = {"Authorization": f"Bearer {os.environ.get('MODEL_KEY', '')}"}
memory = redis.Redis.from_url(os.environ["MEMORY_URL"], decode_responses=True)


class Question(BaseModel):
    session: str
    text: str


def known(text: str) -> str:
    """The fact that lies nearest to the text."""
    answer = httpx.post(f"{MODEL}/embeddings", headers=HEAD, json={"input": text}, timeout=60)
    place = answer.raise_for_status().json()["data"][0]["embedding"]
    with psycopg.connect(os.environ["STORE_URL"]) as connection:
        row = connection.execute(
            "SELECT text FROM facts ORDER BY place <-> cube(%s::float[]) LIMIT 1", (place,)
        ).fetchone()
    return row[0]


def said(messages: list[dict[str, str]]) -> Iterator[str]:
    from httpx_sse import connect_sse

    asked = {"model": "small", "stream": True, "messages": messages}
    with httpx.Client(timeout=300) as client:
        with connect_sse(client, "POST", f"{MODEL}/chat/completions", headers=HEAD, json=asked) as source:
            for event in source.iter_sse():
                if event.data == "[DONE]":
                    return
                yield json.loads(event.data)["choices"][0]["delta"].get("content", "")


@app.get("/health")
def health() -> dict[str, bool]:
    return {"memory": memory.ping()}


@app.get("/sessions/{session}")
def history(session: str) -> list[str]:
    return memory.lrange(session, 0, -1)


@app.post("/chat")
def chat(question: Question) -> StreamingResponse:
    fact = known(question.text)
    messages = [{"role": "system", "content": fact}, {"role": "user", "content": question.text}]

    def words() -> Iterator[str]:
        whole = ""
        for word in said(messages):
            whole += word
            yield word
        memory.rpush(question.session, question.text, whole)
        yield f"\n({fact})\n"

    return StreamingResponse(words(), media_type="text/plain")
