# syntax=docker/dockerfile:1
FROM python:3.12
COPY app.py /
CMD ["python", "app.py"]
