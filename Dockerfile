# The wheel is built with its hot modules compiled (setup.py), in an environment that has the compiler of types, and all it needs
# is installed by hash in another, in one stage; the image that runs holds neither pip's cache nor a compiler.
FROM python:3.11-bookworm AS build
WORKDIR /src
COPY requirements.lock requirements-dev.lock ./
RUN python -m venv /opt/lesionbridge \
  && /opt/lesionbridge/bin/python -m pip install --no-cache-dir --require-hashes -r requirements.lock \
  && python -m venv /opt/build \
  && /opt/build/bin/python -m pip install --no-cache-dir --require-hashes -r requirements-dev.lock
COPY pyproject.toml setup.py README.md LICENSE NOTICE ./
COPY service service
COPY mappings mappings
COPY terminology terminology
RUN LESIONBRIDGE_COMPILE=1 /opt/build/bin/python -m pip wheel --no-cache-dir --no-deps --no-build-isolation --wheel-dir /dist . \
  && /opt/lesionbridge/bin/python -m pip install --no-cache-dir --no-deps --no-index /dist/lesionbridge-*.whl \
  && /opt/lesionbridge/bin/python -m pip uninstall --yes pip setuptools wheel

FROM python:3.11-slim-bookworm
LABEL org.opencontainers.image.title="LesionBridge" \
      org.opencontainers.image.licenses="Apache-2.0"
RUN groupadd --system --gid 10001 lesionbridge \
  && useradd --system --uid 10001 --gid lesionbridge --home-dir /var/lib/lesionbridge --no-create-home --shell /usr/sbin/nologin lesionbridge \
  && install -d -o lesionbridge -g lesionbridge -m 0750 /var/lib/lesionbridge
COPY --from=build /opt/lesionbridge /opt/lesionbridge
# The root may be mounted read-only: what is written goes to /var/lib/lesionbridge (the database) and /tmp (a tmpfs will do).
# No setting stands here: the environment counts more than the file of settings that a deployment mounts.
ENV PATH=/opt/lesionbridge/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    HOME=/var/lib/lesionbridge \
    XDG_DATA_HOME=/var/lib
USER 10001:10001
WORKDIR /var/lib/lesionbridge
VOLUME /var/lib/lesionbridge
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s --retries=3 \
  CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8080/health/live', timeout=4)"]
ENTRYPOINT ["lesionbridge"]
CMD ["serve", "--host", "0.0.0.0", "--port", "8080"]
