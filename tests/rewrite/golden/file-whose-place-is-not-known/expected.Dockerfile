FROM python:3.11
WORKDIR /srv
COPY app ./app
COPY requirements.txt /opt
RUN --mount=type=cache,target=/root/.cache/pip pip install -r /opt/requirements.txt
CMD ["python", "app/main.py"]
