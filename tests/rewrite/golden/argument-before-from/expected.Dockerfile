ARG VERSION=3.12
FROM python:${VERSION} AS app
ARG VERSION
WORKDIR /app
COPY requirements.txt ./
RUN --mount=type=cache,target=/root/.cache/pip pip install -r requirements.txt
# all of it
COPY . .
LABEL version=$VERSION
CMD ["python", "app.py"]
