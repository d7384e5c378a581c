# One image for worker, API and migrations; the command chooses. It holds the product and the extra `suggest`: no embedded
# servers, no pretend ERPs (see .dockerignore), no test tools, and nothing that builds.
FROM python:3.11-slim AS build
WORKDIR /app
COPY requirements-build.lock requirements-production.lock ./
RUN python -m venv /builder && /builder/bin/pip install --no-cache-dir --require-hashes -r requirements-build.lock
RUN python -m venv /venv && /venv/bin/pip install --no-cache-dir --require-hashes -r requirements-production.lock
COPY . .
RUN /builder/bin/pip wheel --no-deps --no-build-isolation --wheel-dir /wheels . \
    && /venv/bin/pip install --no-cache-dir --no-deps /wheels/*.whl

FROM python:3.11-slim
# Nothing here needs root, and nothing it runs may become it.
RUN useradd --system --create-home posync
COPY --from=build /venv /venv
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1
USER posync
WORKDIR /home/posync
ENTRYPOINT ["posync"]
CMD ["worker"]
