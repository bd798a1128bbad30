# The component as an image. `docker build -t docker-engine-connector .` is all it takes; the arguments are for other
# places: BASE for another Python, PIP_OPTIONS="--no-index" with a folder wheels/ here for a build without a network.
ARG BASE=python:3.11-slim-bookworm
FROM ${BASE}

# What a base already has is not installed again.
RUN command -v tini >/dev/null || { apt-get update && apt-get install -y --no-install-recommends tini && rm -rf /var/lib/apt/lists/*; }

WORKDIR /home/component
ARG PIP_OPTIONS=""
COPY requirements.txt wheel[s] /tmp/packages/
RUN python -m pip install --no-cache-dir --no-compile --disable-pip-version-check --root-user-action=ignore \
        --require-hashes --find-links /tmp/packages ${PIP_OPTIONS} -r /tmp/packages/requirements.txt \
    && rm -rf /tmp/packages

COPY . .
# Compiled now: the user of the image may not write, and starting must not cost a compilation.
RUN chmod 755 bin/dispatch \
    && ln -s /home/component/bin/dispatch /usr/local/bin/npm \
    && ln -s /home/component/bin/dispatch /usr/local/bin/node \
    && python -m compileall -q lib actions triggers verify_credentials.py

ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 HOME=/tmp
# A number, so that a cluster can see that it is not root.
USER 1000:1000

# scripts/build writes the version of pyproject.toml here.
ARG VERSION=1.0.0
ARG COMMIT=""
ARG BASE
# elastic.io.component and elastic.io.logo are set by the platform's own builder.
LABEL org.opencontainers.image.title="Docker Engine connector" \
      org.opencontainers.image.description="Docker Engine component for integration platforms, with its own Python runtime" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${COMMIT}" \
      org.opencontainers.image.base.name="${BASE}" \
      elastic.io.repoId="docker-engine-connector" \
      elastic.io.buildId="${VERSION}" \
      elastic.io.hash="${COMMIT}"

# A step that SIGTERM ends is one that ended well (143 would be what a shell makes of it).
ENTRYPOINT ["tini", "-e", "143", "--", "/home/component/bin/dispatch"]
