# A lab's server: the dashboard with its models and compiled kernels, which needs no network once it is built.
# Build arguments name where packages come from, if not from pip's and apt's defaults.
FROM python:3.11-slim-bookworm AS build
ARG PIP_INDEX_URL
ARG PIP_EXTRA_INDEX_URL
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
RUN python -m venv /opt/neuroclass
ENV PATH=/opt/neuroclass/bin:$PATH
WORKDIR /src
COPY requirements.txt ./
RUN pip install -r requirements.txt
COPY pyproject.toml README.md LICENSE app.py ./
COPY .streamlit/config.toml .streamlit/config.toml
COPY dashboard dashboard
COPY data data
COPY docs/features docs/features
COPY pages pages
COPY models models
COPY neuroclass neuroclass
RUN pip install --no-deps . && pip check

FROM python:3.11-slim-bookworm
# libseccomp confines the process that parses uploads.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends libseccomp2 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --home-dir /var/lib/neuroclass --create-home --shell /usr/sbin/nologin neuroclass
COPY --from=build /opt/neuroclass /opt/neuroclass
ENV PATH=/opt/neuroclass/bin:$PATH \
    NEUROCLASS_CACHE=/var/lib/neuroclass \
    TMPDIR=/var/lib/neuroclass \
    OMP_NUM_THREADS=1 \
    PYTHONUNBUFFERED=1
USER 10001
WORKDIR /var/lib/neuroclass
# Compiles the kernels into the cache, which a new volume is filled from, and shows that the models judge a cell.
RUN python -m neuroclass.ui.warmup
VOLUME /var/lib/neuroclass
EXPOSE 8501
STOPSIGNAL SIGINT
HEALTHCHECK --interval=30s --timeout=10s --start-period=180s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8501/healthz', timeout=8)"]
CMD ["neuroclass", "app", "--address", "0.0.0.0", "--port", "8501", "--headless"]
