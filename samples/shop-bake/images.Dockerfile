ARG PYTHON=3.11
FROM python:${PYTHON} AS common
WORKDIR /srv
COPY . .
RUN pip install -r requirements.txt

FROM common AS api
EXPOSE 5000
CMD ["flask", "--app", "shop.api", "run", "--host", "0.0.0.0"]

FROM common AS worker
CMD ["python", "-m", "shop.worker"]
