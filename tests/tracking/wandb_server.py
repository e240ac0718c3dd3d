"""A W&B server in a few lines: what `wandb sync` and an online run ask of one, over what they have stored so far.

It keeps history by row number, as the real service does: a part that is uploaded from row 0 replaces an earlier part.
"""

from __future__ import annotations

import gzip
import json
import re
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

FILE_STREAM = re.compile(r"/files/(?P<entity>[^/]+)/(?P<project>[^/]+)/(?P<run>[^/]+)/file_stream")


@dataclass
class StoredRun:
    """One run as the service knows it."""

    name: str
    project: str
    config: str = "{}"
    tags: list[str] = field(default_factory=list)
    display_name: str = ""
    history: dict[int, dict[str, Any]] = field(default_factory=dict)
    summary: dict[str, Any] = field(default_factory=dict)
    exit_codes: list[int] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)

    def rows(self) -> list[dict[str, Any]]:
        """Rows of the history, in order."""
        return [self.history[index] for index in sorted(self.history)]


class WandbServer(ThreadingHTTPServer):
    """Listens on a free port of this machine while its context lasts; `runs` is what was uploaded, by run id."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.runs: dict[str, StoredRun] = {}
        self.unknown: list[str] = []

    @property
    def url(self) -> str:
        """Its address, for WANDB_BASE_URL."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """wandb leaves without closing its connections; that is no error."""

    def __enter__(self) -> WandbServer:
        threading.Thread(target=self.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    server: WandbServer
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self._body()
        if self.path == "/graphql":
            self._answer(self._graphql(json.loads(body)))
        elif match := FILE_STREAM.fullmatch(self.path):
            self._stream(match["run"], json.loads(body))
            self._answer({})
        else:
            self._answer({}, 404)

    def do_PUT(self) -> None:
        _, _, run, name = self.path.split("/", 3)
        self.server.runs[run].files[name] = self._body()
        self._answer({})

    def do_GET(self) -> None:
        self._answer({}, 404)

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def _body(self) -> bytes:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        return gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body

    def _answer(self, value: dict[str, Any], status: int = 200) -> None:
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _graphql(self, request: dict[str, Any]) -> dict[str, Any]:
        query, variables = request["query"], request.get("variables") or {}
        if "RunResumeStatus" in query:
            return {"data": {"model": self._resume_status(variables)}}
        if "upsertBucket" in query:
            return {"data": {"upsertBucket": self._upsert(variables)}}
        if "createRunFiles" in query:
            return {"data": {"createRunFiles": self._run_files(variables)}}
        if "viewer" in query:
            viewer = {"id": "u", "entity": "team", "username": "user", "flags": "{}", "teams": {"edges": []}}
            return {"data": {"viewer": viewer}}
        self.server.unknown.append(query)
        return {"errors": [{"message": "not known here"}]}

    def _run_files(self, variables: dict[str, Any]) -> dict[str, Any]:
        run = variables["run"]
        files = [{"name": name, "uploadUrl": f"{self.server.url}/upload/{run}/{name}"} for name in variables["files"]]
        return {"runID": run, "uploadHeaders": [], "files": files}

    def _resume_status(self, variables: dict[str, Any]) -> dict[str, Any] | None:
        run = self.server.runs.get(variables["name"])
        if run is None:
            return None
        rows = run.rows()
        return {
            "id": "p",
            "name": run.project,
            "entity": {"id": "e", "name": "team"},
            "bucket": {
                "id": "storage",
                "name": run.name,
                "summaryMetrics": json.dumps(run.summary),
                "displayName": run.display_name,
                "logLineCount": 0,
                "historyLineCount": len(rows),
                "eventsLineCount": 0,
                "historyTail": json.dumps([json.dumps(row) for row in rows[-1:]]),
                "eventsTail": "[]",
                "config": run.config,
                "tags": run.tags,
                "notes": None,
                "wandbConfig": json.dumps({"t": 1}),
            },
        }

    def _upsert(self, variables: dict[str, Any]) -> dict[str, Any]:
        name = variables["name"]
        inserted = name not in self.server.runs
        run = self.server.runs.setdefault(name, StoredRun(name, variables.get("project") or "uncategorized"))
        run.config = variables.get("config") or run.config
        run.tags = variables.get("tags") or run.tags
        run.display_name = variables.get("displayName") or run.display_name
        project = {"id": "p", "name": run.project, "entity": {"id": "e", "name": "team"}}
        return {
            "bucket": {
                "id": "storage",
                "name": name,
                "displayName": run.display_name,
                "description": None,
                "config": run.config,
                "sweepName": None,
                "project": project,
                "historyLineCount": None,
            },
            "inserted": inserted,
        }

    def _stream(self, name: str, request: dict[str, Any]) -> None:
        run = self.server.runs[name]
        for file, chunk in (request.get("files") or {}).items():
            lines = [json.loads(line) for line in chunk["content"]]
            if file == "wandb-history.jsonl":
                run.history |= {chunk["offset"] + index: line for index, line in enumerate(lines)}
            elif file == "wandb-summary.json":
                run.summary = lines[-1]
        if request.get("complete"):
            run.exit_codes.append(request["exitcode"])
