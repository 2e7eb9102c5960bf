FROM python:3.12
WORKDIR /app
RUN pip install --no-cache-dir poetry
COPY . .
RUN --mount=type=cache,target=/root/.cache/pypoetry/cache \
    --mount=type=cache,target=/root/.cache/pypoetry/artifacts \
    poetry install --no-root
CMD ["python", "app.py"]
