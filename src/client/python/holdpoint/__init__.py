"""The control port of Holdpoint for programs in Python, with the standard library alone.

    from holdpoint import Client, call_headers

    client = Client("http://127.0.0.1:8788", token)
    for hold in client.list_holds(state="pending")["items"]:
        client.rule_on_hold(hold["id"], {"verdict": "release", "reason": "checked", "digest": hold["digest"]})

Methods are the operations of the server's OpenAPI description, in snake case. Calls that are refused raise Refused.
"""

import json
import urllib.error
import urllib.parse
import urllib.request

from ._operations import Operations

__all__ = ["Client", "Refused", "call_headers"]


class Refused(Exception):
    """A refusal of the sidecar, RFC 9457: `status`, `code` of a closed set, and `next`, what the caller can do."""

    def __init__(self, status, code, detail, next_step):
        super().__init__(detail)
        self.status = status
        self.code = code
        self.next = next_step


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A token is sent to the named address alone."""

    def redirect_request(self, req, fp, code, msg, headers, newurl):
        return None


class Client(Operations):
    """A client of one sidecar. `timeout_s` is how long a call, or the silence of `events`, may take."""

    def __init__(self, url, token, timeout_s=30.0):
        parts = urllib.parse.urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.netloc:
            raise ValueError("url must be that of a control port, such as http://127.0.0.1:8788")
        self._base = f"{parts.scheme}://{parts.netloc}"
        self._headers = {"authorization": f"Bearer {token}"}
        self._timeout_s = timeout_s
        # Nor to a proxy that the environment names: HTTP_PROXY is often set for calls of another kind.
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirect)

    def events(self):
        """What happens to holds, from now on, as a generator. Nothing is replayed: read the queue first."""
        with self._open("GET", "/api/v1/events", None) as answer:
            for line in answer:
                if line.startswith(b"data: "):
                    yield json.loads(line[6:])

    def _call(self, method, path, names, query, body):
        for name, value in names.items():
            if value in ("", ".", ".."):
                raise ValueError(f"{name} must name something")
            path = path.replace("{" + name + "}", urllib.parse.quote(str(value), safe=""))
        given = {name: value for name, value in query.items() if value is not None}
        if given:
            path = f"{path}?{urllib.parse.urlencode(given)}"
        with self._open(method, path, body) as answer:
            kind = answer.headers.get("content-type", "")
            text = answer.read()
            if kind.startswith("text/plain"):
                return text.decode("utf-8")
            return _value(answer.status, text)

    def _lines(self, method, path, names, query, body):
        text = "\n".join(json.dumps(line) for line in body).encode("utf-8")
        with self._send(method, path, text, "application/x-ndjson") as answer:
            return [_value(answer.status, line) for line in answer]

    def _open(self, method, path, body):
        return self._send(method, path, None if body is None else json.dumps(body).encode("utf-8"), "application/json")

    def _send(self, method, path, data, content_type):
        headers = self._headers if data is None else {**self._headers, "content-type": content_type}
        request = urllib.request.Request(self._base + path, data=data, headers=headers, method=method)
        try:
            return self._opener.open(request, timeout=self._timeout_s)
        except urllib.error.HTTPError as error:
            with error:
                raise _refusal(error.code, error.read()) from None


def call_headers(workload=None, session=None, subject=None, purpose=None):
    """Header fields for calls through the data plane; they are sealed and never sent to the provider."""
    given = {"workload": workload, "session": session, "subject": subject, "purpose": purpose}
    return {f"holdpoint-{name}": value for name, value in given.items() if value is not None}


def _value(status, text):
    try:
        return json.loads(text)
    except ValueError:
        # A page that something in between put in its place.
        raise _refusal(status, text) from None


def _refusal(status, text):
    try:
        problem = json.loads(text)
        return Refused(status, problem["code"], problem["detail"], problem["next"])
    except (ValueError, KeyError, TypeError):
        detail = f"What answers ({status}) is not a Holdpoint control port."
        return Refused(status, "not_holdpoint", detail, "Name the control port, not the proxy.")
