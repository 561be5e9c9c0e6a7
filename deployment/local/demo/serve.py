#!/usr/bin/env python3
"""Serves the files of one directory over HTTP on the loopback, with Range: serve.py DIRECTORY PORT_FILE PID_FILE

For: the demo, whose media are to be fetched as from any web server, by byte ranges.
Promises: GET and HEAD of the plain files that lie directly in DIRECTORY, read when they are asked for; ETag, Last-Modified,
  If-None-Match, If-Range; 206 with Content-Range for one range, 416 for one that the file does not have. It listens on the
  port that PORT_FILE holds when that is free, else on another one; PORT_FILE and PID_FILE are written when it listens.
  It ends with status 0 on SIGTERM.
Failures: status 2 for wrong arguments; a request that is not understood is answered with 4xx and changes nothing.
"""

import email.utils
import mimetypes
import os
import re
import signal
import sys
import urllib.parse
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

CHUNK = 256 * 1024


def parse_range(header: str, size: int):
    """The asked span as (first, last), None where the whole is to be sent, or "none" where the file has no such span."""
    match = re.fullmatch(r"bytes=(\d*)-(\d*)", header.strip())
    if not match or match.groups() == ("", ""):
        return None  # another unit, several ranges, nonsense: RFC 9110 lets a server ignore them
    first, last = match.groups()
    if first == "":
        count = min(int(last), size)
        return (size - count, size - 1) if count > 0 else "none"
    if last != "" and int(last) < int(first):
        return None
    if int(first) >= size:
        return "none"
    return (int(first), min(int(last), size - 1) if last != "" else size - 1)


class Handler(BaseHTTPRequestHandler):
    """Answers one connection."""

    protocol_version = "HTTP/1.1"
    server_version = "demo-media"
    sys_version = ""
    # A client that keeps a connection open and says nothing holds a thread no longer than this, in seconds.
    timeout = 60

    def do_GET(self):
        self.answer(with_body=True)

    def do_HEAD(self):
        self.answer(with_body=False)

    def find(self):
        """The asked file, or None."""
        name = urllib.parse.unquote(urllib.parse.urlsplit(self.path).path)[1:]
        if not name or "/" in name or "\0" in name or name.startswith("."):
            return None
        path = self.server.directory / name
        return path if path.is_file() and not path.is_symlink() else None

    def answer(self, with_body):
        path = self.find()
        if path is None:
            self.refuse(HTTPStatus.NOT_FOUND, {})
            return
        with path.open("rb") as file:
            stat = os.fstat(file.fileno())
            size = stat.st_size
            etag = f'"{stat.st_mtime_ns:x}-{size:x}"'
            modified = email.utils.formatdate(stat.st_mtime, usegmt=True)
            common = {"ETag": etag, "Last-Modified": modified, "Accept-Ranges": "bytes"}
            if etag in [tag.strip() for tag in self.headers.get("If-None-Match", "").split(",")]:
                self.head(HTTPStatus.NOT_MODIFIED, common)
                return
            span = None
            if "Range" in self.headers and self.headers.get("If-Range", etag) in (etag, modified):
                span = parse_range(self.headers["Range"], size)
            if span == "none":
                self.refuse(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, {**common, "Content-Range": f"bytes */{size}"})
                return
            status = HTTPStatus.OK
            first, last = 0, size - 1
            if span is not None:
                status = HTTPStatus.PARTIAL_CONTENT
                first, last = span
                common["Content-Range"] = f"bytes {first}-{last}/{size}"
            common["Content-Type"] = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
            common["Content-Length"] = str(last - first + 1)
            self.head(status, common)
            if with_body:
                self.send(file, first, last - first + 1)

    def head(self, status, headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def refuse(self, status, headers):
        self.head(status, {**headers, "Content-Length": "0"})

    def send(self, file, offset, count):
        file.seek(offset)
        try:
            while count > 0:
                piece = file.read(min(CHUNK, count))
                if not piece:  # it was cut short meanwhile: the client must not wait for the rest
                    self.close_connection = True
                    return
                self.wfile.write(piece)
                count -= len(piece)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True


class Server(ThreadingHTTPServer):
    """Serves one directory on the loopback."""

    daemon_threads = True

    def __init__(self, directory, port):
        self.directory = directory
        super().__init__(("127.0.0.1", port), Handler)


def listen(directory, port_file):
    """Listens on the port of the last time, or on another."""
    try:
        return Server(directory, int(port_file.read_text()))
    except (OSError, ValueError, OverflowError):
        return Server(directory, 0)


def write(path, text):
    """Writes a small file in one step."""
    new = path.with_name(path.name + ".new")
    new.write_text(text)
    new.replace(path)


def main():
    if len(sys.argv) != 4 or not Path(sys.argv[1]).is_dir():
        print("usage: serve.py DIRECTORY PORT_FILE PID_FILE", file=sys.stderr)
        sys.exit(2)
    directory, port_file, pid_file = (Path(argument) for argument in sys.argv[1:])
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    server = listen(directory, port_file)
    write(port_file, f"{server.server_port}\n")
    write(pid_file, f"{os.getpid()}\n")
    server.serve_forever()


if __name__ == "__main__":
    main()
