FROM python:3.12
WORKDIR /app
COPY requirements/prod.txt requirements/base.txt ./requirements/
COPY constraints.txt ./
RUN --mount=type=cache,target=/root/.cache/pip pip install -r requirements/prod.txt -c constraints.txt
COPY . .
CMD ["python", "app.py"]
