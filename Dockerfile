# Pin it further by digest where images are mirrored.
ARG PYTHON_IMAGE=python:3.11-slim

FROM ${PYTHON_IMAGE} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /source
# Without pip inside: nothing in the image installs anything.
RUN python -m venv --without-pip /opt/onboarding
COPY requirements/runtime.txt requirements/dev.txt requirements/
RUN pip --python /opt/onboarding/bin/python install --no-deps --require-hashes --requirement requirements/runtime.txt
# The build backend comes from here too, by hash, and stays behind in this stage.
RUN pip install --no-deps --require-hashes --requirement requirements/dev.txt
COPY pyproject.toml README.md LICENSE ./
COPY operator operator
RUN pip wheel --no-deps --no-build-isolation --wheel-dir dist . \
    && pip --python /opt/onboarding/bin/python install --no-deps --no-index dist/*.whl

FROM ${PYTHON_IMAGE}
LABEL org.opencontainers.image.title="project-onboarding-operator" \
      org.opencontainers.image.licenses="Apache-2.0"
# The root file system is read-only at run time, and bytecode was compiled above.
ENV PATH=/opt/onboarding/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
COPY --from=build /opt/onboarding /opt/onboarding
# A number, so that runAsNonRoot can be proved without reading /etc/passwd.
USER 65532:65532
WORKDIR /tmp
EXPOSE 8080
ENTRYPOINT ["onboarding"]
CMD ["run"]
