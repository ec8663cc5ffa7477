"""The customer's web application: scripted replies by path, every request kept, misbehaviour on demand."""
import base64
import hashlib
import hmac
import ssl
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit


def signature(token, url, params):
    """What X-Twilio-Signature of a POST must be."""
    text = url + "".join(k + params[k] for k in sorted(params))
    return base64.b64encode(hmac.new(token.encode(), text.encode(), hashlib.sha1).digest()).decode()


class Request:
    def __init__(self, method, path, headers, body):
        parts = urlsplit(path)
        self.method, self.path, self.raw_path = method, parts.path, path
        self.headers, self.body, self.at = headers, body, time.monotonic()
        self.query = dict(parse_qsl(parts.query, keep_blank_values=True))
        self.form = dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)) if method == "POST" else {}

    @property
    def params(self):
        return self.form if self.method == "POST" else self.query

    def __repr__(self):
        return f"{self.method} {self.raw_path} {self.params}"


class Reply:
    """A reply; delay in seconds, cut closes the connection after that many body bytes, raw replaces everything."""

    def __init__(self, body="", status=200, content_type="text/xml", headers=(), delay=0.0, cut=None, raw=None, chunked=False):
        self.body = body.encode() if isinstance(body, str) else body
        self.status, self.content_type, self.headers = status, content_type, list(headers)
        self.delay, self.cut, self.raw, self.chunked = delay, cut, raw, chunked


class WebApp:
    """serve(path, reply, ...) queues replies for a path; the last one stays. A callable gets the Request."""

    def __init__(self, ip="127.0.0.1", port=0, cert=None):
        """cert: of /out/tls, over HTTPS then (tests/lib.sh)."""
        app = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *args):
                pass

            def handle_any(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                app._answer(self, Request(self.command, self.path, self.headers, body))

            do_GET = do_POST = do_HEAD = handle_any

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 256

        self.requests = []
        self._scripts = {}
        self._lock = threading.Condition()
        self.server = Server((ip, port), Handler)
        if cert:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(f"/out/tls/{cert}.pem", f"/out/tls/{cert}.key")
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.url = "http%s://%s:%d" % ("s" if cert else "", *self.server.server_address[:2])
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def serve(self, path, *replies):
        with self._lock:
            self._scripts[path] = [r if isinstance(r, Reply) or callable(r) else Reply(r) for r in replies]
        return self.url + path

    def _answer(self, handler, request):
        with self._lock:
            self.requests.append(request)
            self._lock.notify_all()
            script = self._scripts.get(request.path)
            reply = Reply("not found", 404, "text/plain") if not script else script.pop(0) if len(script) > 1 else script[0]
        if callable(reply):
            reply = reply(request)
            reply = reply if isinstance(reply, Reply) else Reply(reply)
        time.sleep(reply.delay)
        try:
            if reply.raw is not None:
                handler.wfile.write(reply.raw)
                handler.close_connection = True
                return
            handler.send_response(reply.status)
            if reply.content_type:
                handler.send_header("Content-Type", reply.content_type)
            for name, value in reply.headers:
                handler.send_header(name, value)
            if reply.chunked:
                handler.send_header("Transfer-Encoding", "chunked")
                handler.end_headers()
                if reply.body:
                    handler.wfile.write(b"%x\r\n%s\r\n" % (len(reply.body), reply.body))
                handler.wfile.write(b"0\r\n\r\n")
                return
            handler.send_header("Content-Length", str(len(reply.body)))
            handler.end_headers()
            handler.wfile.write(reply.body if reply.cut is None else reply.body[:reply.cut])
            if reply.cut is not None:
                handler.close_connection = True
        except (BrokenPipeError, ConnectionResetError):
            pass

    def seen(self, path):
        with self._lock:
            return [r for r in self.requests if r.path == path]

    def wait(self, path, count=1, timeout=10):
        """The count-th request for path; waits for it."""
        deadline = time.monotonic() + timeout
        with self._lock:
            while True:
                found = [r for r in self.requests if r.path == path]
                if len(found) >= count:
                    return found[count - 1]
                left = deadline - time.monotonic()
                if left <= 0:
                    raise AssertionError(f"{path} was asked {len(found)} times, not {count}, in {timeout} s; seen: {self.requests}")
                self._lock.wait(left)
