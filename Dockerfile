# For machines that have no MXNet wheel (Apple silicon, ARM Linux, Windows). Two commands:
#   docker build --platform linux/amd64 -t d2lrec .
#   docker run --platform linux/amd64 --rm -p 127.0.0.1:8888:8888 d2lrec
# The second prints the address to open, with its token; only this machine can open it.
FROM --platform=linux/amd64 python:3.13-slim

# libgomp1, libquadmath0: MXNet is linked to them, and slim images lack them
RUN apt-get update \
    && apt-get install -y --no-install-recommends make libgomp1 libquadmath0 fonts-noto-cjk \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --create-home reader \
    && install -d -o reader -g reader /home/reader/d2lrec
USER reader
WORKDIR /home/reader/d2lrec

# .venv stands where `make book` looks for it
COPY --chown=reader . .
RUN PIP_NO_CACHE_DIR=1 sh tools/setup.sh
ENV PATH="/home/reader/d2lrec/.venv/bin:$PATH"

EXPOSE 8888
HEALTHCHECK --start-period=30s CMD ["python", "-c", \
    "import urllib.request as r; r.urlopen('http://127.0.0.1:8888/api', timeout=5)"]
CMD ["jupyter", "lab", "--ip=0.0.0.0", "--port=8888", "--no-browser", "--notebook-dir=chapters"]
