FROM debian:12
RUN apt-get update
# for the health check
RUN apt-get update && apt-get install -y curl && rm -rf /var/lib/apt/lists/*
CMD ["curl", "http://localhost:80/"]
