"""A saved model behind HTTP, on this machine only, by the standard library.

    python examples/serve.py clicks.d2l
    curl -d '{"user": "u7", "item": "tea"}' http://127.0.0.1:8000

A row, or a list of rows, of {field: value} goes in as JSON; the probabilities of a click come out,
or the status 400 and one sentence.
"""

import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import d2lrec as d2l


class Handler(BaseHTTPRequestHandler):
    timeout = 10  # seconds that a client may take to send its request

    def do_POST(self):
        size = self.headers.get('Content-Length', '')
        body = self.rfile.read(min(int(size[:9]), 1_000_001)) if size.isdecimal() else b''
        status, answer = self.server.saved.answer(body)  # which takes 1,000,000 bytes at most
        self.send_response(status)
        self.send_header('Content-Type', 'application/json')
        self.end_headers()
        self.wfile.write(answer)


def server(path, port=8000):
    """An HTTP server of the model that `save` wrote; `serve_forever` starts it."""
    made = ThreadingHTTPServer(('127.0.0.1', port), Handler)
    made.saved = d2l.load(path)
    return made


if __name__ == '__main__':
    server(sys.argv[1]).serve_forever()
