"""A saved model behind HTTP, on this machine only, by the standard library.

    python examples/serve.py clicks.d2l
    curl -d '{"user": "u7", "item": "tea"}' http://127.0.0.1:8000

A row, or a list of rows, of {field: value} goes in as JSON; the probabilities of a click come out.
"""

import json
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer

import d2lrec as d2l


class Handler(BaseHTTPRequestHandler):
    timeout = 10  # seconds that a client may take to send its request

    def do_POST(self):
        try:
            size = int(self.headers.get('Content-Length') or 0)
            rows = json.loads(self.rfile.read(size)) if 0 < size <= 1_000_000 else None
            if not isinstance(rows, (dict, list)):  # text would be taken for the path of a file
                raise ValueError('send a row, {"field": value}, or a list of rows, up to 1 MB.')
            status, answer = 200, {'probabilities': self.server.saved.predict(rows).tolist()}
        except ValueError as error:  # what the client can mend, in one sentence
            status, answer = 400, {'error': str(error)}
        except Exception:  # what it cannot, and need not see
            status, answer = 500, {'error': 'the server failed.'}
        self.send_response(status)
        self.send_header('Content-Type', 'application/json')
        self.end_headers()
        self.wfile.write(json.dumps(answer).encode())


def server(path, port=8000):
    """An HTTP server of the model that `save` wrote; `serve_forever` starts it."""
    made = HTTPServer(('127.0.0.1', port), Handler)
    made.saved = d2l.load(path)
    return made


if __name__ == '__main__':
    server(sys.argv[1]).serve_forever()
