"""Keeps what is posted to it, one JSON document a line: PORT FILE [ADDRESS]."""

import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PORT, FILE = int(sys.argv[1]), sys.argv[2]
ADDRESS = sys.argv[3] if len(sys.argv) > 3 else "127.0.0.1"


class Hook(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        with open(FILE, "ab") as kept:
            kept.write(body.replace(b"\n", b" ") + b"\n")
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, text, *args):
        pass


open(FILE, "ab").close()
ThreadingHTTPServer((ADDRESS, PORT), Hook).serve_forever()
