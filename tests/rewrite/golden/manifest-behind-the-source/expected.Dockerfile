FROM python:3.11
WORKDIR /app
# what it needs
COPY ./requirements.txt /app
RUN --mount=type=cache,target=/root/.cache/pip pip install -r /app/requirements.txt
# the program
COPY app /app
CMD ["python", "main.py"]
