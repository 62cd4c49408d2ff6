# For machines that have no MXNet wheel (Apple silicon, ARM Linux, Windows). Not built in this
# project's own tests. Two commands:
#   docker build --platform linux/amd64 -t d2lrec .
#   docker run --platform linux/amd64 --rm -p 127.0.0.1:8888:8888 d2lrec
# The second prints the address to open, with its token.
FROM --platform=linux/amd64 python:3.11-slim

RUN apt-get update \
    && apt-get install -y --no-install-recommends make libgomp1 fonts-noto-cjk \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --create-home reader
USER reader
WORKDIR /home/reader/d2lrec
ENV PATH="/home/reader/venv/bin:$PATH"

COPY --chown=reader requirements.txt ./
RUN python -m venv /home/reader/venv && pip install --no-cache-dir -r requirements.txt

COPY --chown=reader . .
RUN pip install --no-cache-dir --no-deps --no-build-isolation --editable .

EXPOSE 8888
CMD ["jupyter", "lab", "--ip=0.0.0.0", "--port=8888", "--no-browser", "--notebook-dir=chapters"]
