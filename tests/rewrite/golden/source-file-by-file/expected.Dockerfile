FROM python:3.11
WORKDIR /srv
COPY requirements*.txt ./
RUN --mount=type=cache,target=/root/.cache/pip pip install -r requirements.txt
COPY main.py .
COPY tools.py ./
CMD ["python", "main.py"]
