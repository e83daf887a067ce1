# Longtail in one image: `docker build --tag longtail .`; the command is `longtail`.
#
#   docker run --name longtail --publish 8080:8080 --publish 8081:8081 --volume longtail:/var/lib/longtail \
#       --env LONGTAIL_API_URL=https://longtail.example --env LONGTAIL_GATEWAY_URL=https://upload.longtail.example longtail
#
# runs a whole deployment with its embedded PostgreSQL; packaging/compose.yaml runs the processes apart. A proxy with TLS
# belongs in front of both ports (LONGTAIL_BEHIND_PROXY), or give the files (LONGTAIL_TLS_CERT_FILE and _KEY_FILE). No Alpine: the wheels need glibc. tests/packaging runs these steps in an empty folder.
FROM python:3.12-slim-bookworm AS build
WORKDIR /build
COPY tools/uv.txt ./
RUN pip install --no-cache-dir --require-hashes --requirement uv.txt
ENV UV_PROJECT_ENVIRONMENT=/opt/longtail UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy UV_PYTHON_DOWNLOADS=never
COPY pyproject.toml uv.lock README.md ./
RUN uv sync --frozen --no-dev --group console --no-install-project
COPY triggers ./triggers
COPY storage ./storage
COPY migrations ./migrations
COPY ingest ./ingest
COPY fleet_api ./fleet_api
COPY tools/console.py ./tools/console.py
RUN /opt/longtail/bin/python tools/console.py build --strict
RUN uv sync --frozen --no-dev --no-editable

FROM python:3.12-slim-bookworm
RUN useradd --system --uid 10001 --create-home --home-dir /var/lib/longtail longtail \
    && install --directory --owner=longtail --mode=0700 /run/longtail
COPY --from=build /opt/longtail /opt/longtail
COPY packaging/health.py /opt/longtail/health.py
ENV PATH=/opt/longtail/bin:$PATH \
    LONGTAIL_DATA_DIR=/var/lib/longtail \
    LONGTAIL_API_HOST=0.0.0.0 \
    LONGTAIL_GATEWAY_HOST=0.0.0.0 \
    LONGTAIL_BEHIND_PROXY=true
USER longtail
WORKDIR /var/lib/longtail
VOLUME /var/lib/longtail
EXPOSE 8080 8081
# An orderly stop ends requests, ingest and the database, one after the other: give it `docker stop --time 120`.
STOPSIGNAL SIGTERM
# Of `api` and `up`; packaging/compose.yaml asks the other processes.
HEALTHCHECK --interval=30s --timeout=10s --start-period=120s CMD ["python", "/opt/longtail/health.py", "api"]
ENTRYPOINT ["longtail"]
CMD ["up"]
