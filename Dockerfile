# Eureka on the CPU, for macOS and Windows, whose kernels cannot confine generated code: docs/installation.md.
FROM python:3.11-slim-bookworm

# Films are drawn without a screen.
RUN apt-get update \
    && apt-get install -y --no-install-recommends libosmesa6 libegl1 libgl1 libgl1-mesa-dri libegl-mesa0 \
    && rm -rf /var/lib/apt/lists/*

WORKDIR /opt/eureka
COPY . .
# torch's CPU build: the one that PyPI has for Linux brings gigabytes of CUDA along.
RUN pip install --no-cache-dir --extra-index-url https://download.pytorch.org/whl/cpu -c constraints.txt . \
    && useradd --create-home eureka \
    && mkdir /eureka \
    && chown eureka /eureka

USER eureka
WORKDIR /eureka
ENTRYPOINT ["eureka"]
CMD ["--help"]
