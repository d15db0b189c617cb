# repld in a container:
#
#   docker build -t repld .
#   docker run -v /etc/repld:/etc/repld:ro -p 127.0.0.1:9847:9847 repld
#
# For the port set http.listen = "0.0.0.0:9847" in /etc/repld/repld.toml. replctl is inside too:
# docker exec CONTAINER replctl status
FROM debian:12-slim AS build
WORKDIR /src
COPY . .
RUN script/build && strip build/bin/repld build/bin/replctl

FROM debian:12-slim
RUN apt-get update \
  && apt-get install -y --no-install-recommends ca-certificates libfmt9 libpq5 libpqxx-6.4 \
    libprometheus-cpp-core1.0 libspdlog1.10 libsystemd0 libtomlplusplus3 \
  && rm -rf /var/lib/apt/lists/* \
  && useradd --system --home-dir /run/repld --shell /usr/sbin/nologin repld \
  && install -d -o repld -g repld /run/repld
COPY --from=build /src/build/bin/repld /src/build/bin/replctl /usr/local/bin/
USER repld
ENTRYPOINT ["repld"]
CMD ["--config", "/etc/repld/repld.toml"]
