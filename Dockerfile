# Builds the program and puts it on a small Debian image.
FROM rust:1.95-bookworm AS build
RUN apt-get update && apt-get install -y --no-install-recommends nodejs npm && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
RUN cargo build --release --locked

FROM debian:bookworm-slim
RUN useradd --system --create-home --home-dir /data kundwebb
COPY --from=build /src/target/release/kundwebb /usr/local/bin/kundwebb
USER kundwebb
VOLUME /data
EXPOSE 8080
ENTRYPOINT ["kundwebb", "--data", "/data"]
