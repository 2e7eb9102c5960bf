FROM python:3.11
WORKDIR /srv
COPY app ./app
COPY pip.conf /etc/
RUN --mount=type=cache,target=/root/.cache/pip pip install flask
CMD ["python", "app/main.py"]
