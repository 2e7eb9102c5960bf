FROM rust:1
WORKDIR /app
COPY Cargo.toml Cargo.lock ./
RUN mkdir -p src \
    && echo 'fn main() {}' > src/main.rs \
    && cargo build --release \
    && rm -rf target/*/.fingerprint/app-* target/*/*/.fingerprint/app-*
COPY src src
RUN cargo build --release
CMD ["cargo", "run", "--release"]
