# One image for worker, API and migrations; the command chooses.
FROM python:3.11-slim AS build
WORKDIR /app
COPY requirements.lock pyproject.toml README.md ./
RUN python -m venv /venv && /venv/bin/pip install --no-cache-dir --require-hashes -r requirements.lock
COPY . .
RUN /venv/bin/pip install --no-cache-dir --no-deps --no-build-isolation .

FROM python:3.11-slim
# Nothing here needs root, and nothing it runs may become it.
RUN useradd --system --create-home posync
COPY --from=build /venv /venv
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1
USER posync
WORKDIR /home/posync
ENTRYPOINT ["posync"]
CMD ["worker"]
