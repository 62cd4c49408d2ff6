"""A saved model behind HTTP, on this machine only, by the standard library.

    python examples/serve.py clicks.d2l
    curl -d '{"user": "u7", "item": "tea"}' http://127.0.0.1:8000

A row, or a list of rows, of {field: value} goes in as JSON; the probabilities of a click come out.
"""

import json
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer

import d2lrec as d2l

LARGEST = 1_000_000  # bytes of a request


def server(path, port=8000):
    """An HTTP server of the model that `save` wrote; `serve_forever` starts it."""
    saved = d2l.load(path)

    class Handler(BaseHTTPRequestHandler):
        timeout = 10  # seconds that a client may take to send its request

        def do_POST(self):
            try:
                size = int(self.headers.get('Content-Length') or 0)
                if not 0 < size <= LARGEST:
                    raise ValueError(f'send a body of 1 to {LARGEST:,} bytes.')
                rows = json.loads(self.rfile.read(size))
                if not isinstance(rows, (dict, list)):
                    raise ValueError('send a row, {"field": value}, or a list of rows.')
                self.answer(200, {'probabilities': saved.predict(rows).tolist()})
            except ValueError as error:  # what the client can mend, in one sentence
                self.answer(400, {'error': str(error)})
            except Exception:  # what it cannot, and need not see
                self.log_error('failed on %s', self.path)
                self.answer(500, {'error': 'the server failed.'})

        def answer(self, status, content):
            body = json.dumps(content).encode()
            self.send_response(status)
            self.send_header('Content-Type', 'application/json')
            self.send_header('Content-Length', str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    return HTTPServer(('127.0.0.1', port), Handler)


if __name__ == '__main__':
    server(sys.argv[1]).serve_forever()
