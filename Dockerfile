# syntax=docker/dockerfile:1
# The scheduler, the workers and the pages of docker-compose.yml. Two stages: pip and its caches stay behind in the first.

FROM python:3.11-slim AS build
WORKDIR /src
RUN python -m venv /opt/nachlese
# dependencies alone first: they change seldom, and this layer is then taken from the cache
COPY requirements.lock pyproject.toml ./
RUN python -c "import tomllib; p = tomllib.load(open('pyproject.toml', 'rb'))['project']; print('\n'.join(p['dependencies'] + p['optional-dependencies']['web'] + p['optional-dependencies']['workers']))" > wanted.txt \
    && /opt/nachlese/bin/pip install --no-cache-dir -c requirements.lock -r wanted.txt
COPY README.md LICENSE ./
COPY config config
COPY tests/pages tests/pages
COPY tests/seeds tests/seeds
COPY crawler crawler
COPY pipelines pipelines
COPY webapp webapp
RUN /opt/nachlese/bin/pip install --no-cache-dir -c requirements.lock '.[web,workers]'

FROM python:3.11-slim
# a user without rights and without a shell; the number is stated so that the owner of mounted folders can be set to it
RUN useradd --system --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin nachlese \
    && install -d -o nachlese -g nachlese /data
COPY --from=build /opt/nachlese /opt/nachlese
ENV PATH="/opt/nachlese/bin:$PATH" \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    NACHLESE_HOME=/data \
    XDG_CACHE_HOME=/tmp/cache \
    HOME=/tmp
USER nachlese
# a new named volume takes over the owner of this folder
VOLUME /data
STOPSIGNAL SIGTERM
ENTRYPOINT ["nachlese"]
CMD ["schedule"]
