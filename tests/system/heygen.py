"""A HeyGen for one key, on loopback: PORT KEY BROKEN.

Files beside each other say what is wrong with it. While BROKEN exists its API answers 503, as its
load balancer would; `admitted`: its page says so; `refused`: no key is good; `waiting`: two videos
of the account were made when the file was, and do not begin. Written from the documentation, apart
from the project's own simulator, so that both are checked.
"""

import json
import os
import sys
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PORT, KEY, BROKEN = int(sys.argv[1]), sys.argv[2], sys.argv[3]
ADMITTED, REFUSED, WAITING = (os.path.join(os.path.dirname(BROKEN), name) for name in ("admitted", "refused", "waiting"))
BASE = f"http://127.0.0.1:{PORT}"
USER = {"data": {"user_id": "u_1", "email": "team@example.org", "username": "team"}}
PAGE = {
    "page": {"id": "p1", "name": "HeyGen", "url": BASE, "time_zone": "Etc/UTC", "updated_at": "2026-11-20T09:00:00Z"},
    "status": {"indicator": "none", "description": "All Systems Operational"},
    "components": [
        {
            "id": "c1", "name": "https://api.heygen.com", "status": "operational", "position": 1, "group": False,
            "group_id": None, "created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01T00:00:00Z",
            "page_id": "p1", "showcase": True, "only_show_if_degraded": False, "description": None,
        }
    ],
    "incidents": [],
    "scheduled_maintenances": [],
}
INCIDENT = {
    "id": "i1", "name": "API errors", "status": "investigating", "impact": "major", "page_id": "p1",
    "created_at": "2026-11-20T09:00:00Z", "updated_at": "2026-11-20T09:00:00Z", "monitoring_at": None,
    "resolved_at": None, "started_at": "2026-11-20T09:00:00Z", "shortlink": BASE, "incident_updates": [],
}


def page():
    """The page as it is now; an incident of it began now, at the latest."""
    if not os.path.exists(ADMITTED):
        return PAGE
    since = datetime.fromtimestamp(os.path.getmtime(ADMITTED), timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    component = {**PAGE["components"][0], "status": "major_outage", "updated_at": since}
    incident = {**INCIDENT, "created_at": since, "updated_at": since, "started_at": since, "components": [component]}
    status = {"indicator": "major", "description": "Partial System Outage"}
    return {**PAGE, "status": status, "components": [component], "incidents": [incident]}


def videos():
    """The account's videos: none, or two that do not begin."""
    if not os.path.exists(WAITING):
        return []
    begun = int(os.path.getmtime(WAITING))
    return [{"id": id, "status": "pending", "created_at": begun} for id in ("v_1", "v_2")]


def error(code, message):
    return {"error": {"code": code, "message": message, "param": None, "doc_url": None}}


class HeyGen(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status, body, kind="application/json"):
        data = body.encode() if isinstance(body, str) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def api(self, body):
        if os.path.exists(BROKEN):
            return self.answer(503, error("service_unavailable", "Service is temporarily unavailable."))
        if self.headers.get("X-Api-Key") != KEY or os.path.exists(REFUSED):
            return self.answer(401, error("unauthorized", "Invalid or missing API key."))
        return self.answer(200, body) if body else self.answer(400, error("invalid_parameter", "The body is invalid."))

    def do_GET(self):
        path = self.path.split("?")[0]
        if path.startswith("/control/"):
            self.answer(200, "ok", "text/plain")
        elif path == "/app":
            self.answer(200, "<!DOCTYPE html><title>HeyGen</title>", "text/html")
        elif path == "/v3/users/me":
            self.api(USER)
        elif path in ("/v3/videos", "/v3/video-translations"):
            self.api({"data": videos() if path == "/v3/videos" else [], "has_more": False, "next_token": None})
        elif path in ("/api/v2/summary.json", "/api/v2/status.json"):
            self.answer(200, page())
        elif path == "/api/v2/components.json":
            self.answer(200, {"page": PAGE["page"], "components": page()["components"]})
        elif path in ("/api/v2/incidents.json", "/api/v2/incidents/unresolved.json"):
            self.answer(200, {"page": PAGE["page"], "incidents": page()["incidents"]})
        else:
            self.answer(404, error("not_found", "Not found."))

    do_HEAD = do_GET

    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path.startswith("/services/"):
            # Somebody's Slack, where this webhook is gone.
            return self.answer(404, "no_service", "text/plain")
        self.api(None)

    def log_message(self, text, *args):
        key = self.headers.get("X-Api-Key") if hasattr(self, "headers") else None
        who = "keyed" if key == KEY else "anonymous" if key is None else "wrong-key"
        print(text % args, who, flush=True)


ThreadingHTTPServer(("127.0.0.1", PORT), HeyGen).serve_forever()
