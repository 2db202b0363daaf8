# Builds the program and puts it on a small Debian image that runs it as nobody in particular.
FROM rust:1.95-bookworm AS build
RUN apt-get update && apt-get install -y --no-install-recommends nodejs npm && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
RUN cargo build --release --locked

FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates curl && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --home-dir /data kundwebb && install -d -m 0700 -o kundwebb /data /keys
COPY --from=build /src/target/release/kundwebb /usr/local/bin/kundwebb
USER kundwebb
VOLUME /data
EXPOSE 8080
# Ready, not only alive: a node that is still building its read models gets no visitors.
HEALTHCHECK --interval=2s --timeout=3s --start-period=60s CMD ["curl", "-fsS", "http://127.0.0.1:8080/readyz"]
ENTRYPOINT ["kundwebb", "--data", "/data"]
