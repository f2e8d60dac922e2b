# The image that the stages start from; pin it by digest: PYTHON_IMAGE=docker.io/library/python@sha256:...
ARG PYTHON_IMAGE=python:3.11-slim
# What the program runs on. It may be another image, if the same Python lies at the same path in it.
ARG RUN_IMAGE=${PYTHON_IMAGE}

FROM ${RUN_IMAGE} AS base
# Of a stage without any instruction buildah would keep a container.
WORKDIR /

FROM ${PYTHON_IMAGE} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /source
# The tools come by hash too, and stay behind in this stage. The program's own environment holds no pip.
RUN python3 -m venv /opt/build && python3 -m venv --without-pip /opt/onboarding
COPY requirements/runtime.txt requirements/build.txt requirements/
# A package index of your own: --secret id=pip,src=pip.conf, and id=ca for an authority that it is to trust.
RUN --mount=type=secret,id=pip,target=/etc/pip.conf --mount=type=secret,id=ca,target=/run/secrets/ca.pem \
    /opt/build/bin/pip install --no-compile --no-deps --require-hashes --requirement requirements/build.txt \
    && /opt/build/bin/pip --python /opt/onboarding/bin/python \
       install --no-compile --no-deps --require-hashes --requirement requirements/runtime.txt
COPY pyproject.toml README.md LICENSE ./
COPY operator operator
RUN /opt/build/bin/pip wheel --no-deps --no-build-isolation --no-index --wheel-dir dist . \
    && /opt/build/bin/pip --python /opt/onboarding/bin/python install --no-compile --no-deps --no-index dist/*.whl
COPY --from=base / /base
COPY image/trim.py image/
# Bytecode that is never compared with its source: nothing can be written beside it at run time.
RUN python3 image/trim.py /opt/onboarding /base \
    && /opt/onboarding/bin/python -m compileall -q --invalidation-mode unchecked-hash /opt/onboarding/lib \
    && /opt/onboarding/bin/onboarding --help

# Copied, not inherited: what trim.py took out of the base lies in no layer below.
FROM scratch
LABEL org.opencontainers.image.title="project-onboarding-operator" \
      org.opencontainers.image.licenses="Apache-2.0"
ENV PATH=/opt/onboarding/bin:/usr/local/bin:/usr/bin:/bin LANG=C.UTF-8 \
    PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
COPY --from=build /base /
COPY --from=build /opt/onboarding /opt/onboarding
# A number, so that runAsNonRoot can be proved without reading /etc/passwd.
USER 65532:65532
WORKDIR /tmp
EXPOSE 8080
ENTRYPOINT ["onboarding"]
CMD ["run"]
