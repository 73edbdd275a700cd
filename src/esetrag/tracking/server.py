"""MLflow's scoring server behind a door: words alone come in, errors leave as one line of JSON.

MLflow's own door turns numbers into words, and shows its stack traces to the client.
"""

from __future__ import annotations

import json
import logging
import socket
import sys
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from esetrag.core import config
from esetrag.core.errors import DataError, EsetragError, ParamsError, TrackingError
from esetrag.core.layout import Layout
from esetrag.predict import serving
from esetrag.tracking import runs, store
from esetrag.tracking.store import Store

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]

PATH = "/invocations"
FIELDS = ("dataframe_records", "dataframe_split", "inputs", "instances")
LARGEST = 8 * 2**20
"""Bytes of a request."""
JSON = b"application/json"

log = logging.getLogger(__name__)


def listen(host: str, port: int) -> socket.socket:
    """Takes a port, before anything is loaded; 0 is a free one.

    Raises:
        EsetragError: if it cannot be had.
    """
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listening = socket.create_server((host, port), family=family)
    except (OSError, OverflowError) as error:
        reason = str(getattr(error, "strerror", None) or error).split(" (")[0]
        raise EsetragError(f"cannot listen on {host}, port {port}: {reason}; name another one") from error
    # asyncio sets it on sockets it opened itself; without it, a kept connection waits 40 ms an answer.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening


def application(layout: Layout, given: config.Params, name: str | None = None, champion: bool = False) -> App:
    """MLflow's scoring server with the model of a run.

    Args:
        layout: of the task.
        given: all parameters.
        name: id or name of the run; None is that of the files as they are.
        champion: the champion's model in place of it.

    Raises:
        DataError: if no run is named and the pipeline has not run to its end.
        TrackingError: if there is no such run, no champion, or the store cannot be used.
    """
    try:
        state = None if name or champion else runs.finished(layout, given)
    except DataError as error:
        raise DataError(f"{error}; or serve any run of the store: --run RUN") from error
    with store.opened(given.tracking.experiment) as opened:
        if champion:
            version = opened.champion(layout.task)
            if version is None:
                raise TrackingError(f"{opened.uri}: {layout.task} has no champion; esetrag promote makes one")
            uri = version.source
        elif state is None:
            uri = _uri(opened, opened.named(str(name), layout.task), f"called {name}; list them: make ui")
        else:
            inputs, outcome = state
            mend = f"make it: dvc repro, or esetrag track --task {layout.task}; or take another: --run RUN"
            wanted = f"of {layout.task} as the files are now; {mend}"
            uri = _uri(opened, opened.run(inputs.key, outcome.results), wanted)
        model = opened.mlflow.pyfunc.load_model(uri)
    app: App = store.scoring_server(model)
    return app


def _uri(opened: Store, run: Any, wanted: str) -> str:
    """Where the model of a run is."""
    models = run.outputs.model_outputs if run and run.outputs else []
    if not models:
        raise TrackingError(f"{opened.uri}: no finished run {wanted}")
    return f"models:/{models[0].model_id}"


def run(app: App, listening: socket.socket) -> None:
    """Serves MLflow's application until it is told to stop."""
    import uvicorn

    host, port = listening.getsockname()[:2]
    print(f"http://{f'[{host}]' if ':' in host else host}:{port}{PATH}", flush=True)
    uvicorn.Server(uvicorn.Config(Door(app), log_level="warning")).run(sockets=[listening])


class Door:
    """An ASGI application before MLflow's."""

    def __init__(self, app: App) -> None:
        """Wraps MLflow's."""
        self.app = app

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answers a request."""
        if (scope["type"], scope.get("path"), scope.get("method")) != ("http", PATH, "POST"):
            await self.app(scope, receive, send)
            return
        body = await _body(receive)
        kind = dict(scope["headers"]).get(b"content-type", b"").split(b";")[0].strip().lower()
        if len(body) > LARGEST:
            status, answer = 413, _error(f"expected {LARGEST} bytes at most")
        elif kind != JSON:
            status, answer = 415, _error("expected JSON; send the header Content-Type: application/json")
        else:
            try:
                status, answer = await self._inside(scope, receive, request(body))
            except EsetragError as error:
                status, answer = 400, _error(str(error))
        headers = [(b"content-type", JSON), (b"content-length", str(len(answer)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": answer})

    async def _inside(self, scope: Message, receive: Receive, body: bytes) -> tuple[int, bytes]:
        """MLflow's answer to a request that is in order; a refusal is our fault, and told to the log."""
        unread, answers = [body], list[Message]()

        async def read() -> Message:
            if unread:
                return {"type": "http.request", "body": unread.pop(), "more_body": False}
            return await receive()

        async def collect(message: Message) -> None:
            answers.append(message)

        headers = [(b"content-type", JSON), (b"content-length", str(len(body)).encode())]
        await self.app({**scope, "headers": headers}, read, collect)
        status = next(m["status"] for m in answers if m["type"] == "http.response.start")
        answer = b"".join(m.get("body", b"") for m in answers)
        if status < 400:
            return status, answer + b"\n"
        log.error("%s", answer.decode("utf-8", "replace").replace("\\n", "\n"))
        return max(status, 500), _error("the server failed; its log says why")


def request(body: bytes) -> bytes:
    """A request in the one form that MLflow's server takes as it stands.

    Args:
        body: JSON of one of ``FIELDS``, and of ``params``.

    Raises:
        DataError: if that is not what it is.
        ParamsError: if a parameter is wrong.
    """
    try:
        content = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise DataError(f"expected JSON in UTF-8: {str(error)[:80]}") from error
    names = list(content) if isinstance(content, dict) else []
    given = [name for name in names if name in FIELDS]
    if len(given) != 1 or set(names) - {*given, "params"}:
        expected = f"expected one of {', '.join(FIELDS)}, and params at most"
        raise DataError(f"{expected}; found {ascii(names or content)[:60]}")
    forms = serving.words(_forms(content[given[0]], given[0]))
    if not forms:
        raise DataError("expected a word or more, found none")
    params = content.get("params") or {}
    if not isinstance(params, dict) or params.keys() - {serving.TOP_K}:
        raise ParamsError(f"params: expected {serving.TOP_K}, found {ascii(params)[:60]}")
    ranks = min(serving.top_k(params), sys.maxsize)
    split = {"columns": [serving.FORM], "data": [[form] for form in forms]}
    return json.dumps({"dataframe_split": split, "params": {serving.TOP_K: ranks}}).encode()


def _forms(content: Any, field: str) -> list[Any]:
    if field == "dataframe_split":
        content = _records(content)
    elif field == "inputs" and isinstance(content, dict) and content.keys() == {serving.FORM}:
        content = content[serving.FORM]
    if not isinstance(content, list):
        raise DataError(f"{field}: expected a list, found {ascii(content)[:40]}")
    return [_form(row, number) for number, row in enumerate(content, 1)]


def _form(row: Any, number: int) -> Any:
    if not isinstance(row, dict):
        return row
    if serving.FORM not in row and len(row) != 1:
        raise DataError(f"word {number}: expected a field {serving.FORM}, found {ascii(list(row))[:60]}")
    return row.get(serving.FORM, next(iter(row.values())))


def _records(split: Any) -> list[Any]:
    """The rows of a table given as columns and data."""
    table = split if isinstance(split, dict) else {}
    columns, rows = table.get("columns", [serving.FORM]), table.get("data")
    if not isinstance(columns, list) or not isinstance(rows, list):
        raise DataError('dataframe_split: expected {"columns": [names], "data": [rows]}')
    if len({str(column) for column in columns}) != len(columns):
        raise DataError(f"dataframe_split: expected columns of different names, found {ascii(columns)[:60]}")
    whole = [row if isinstance(row, list) else [row] for row in rows]
    for number, row in enumerate(whole, 1):
        if len(row) != len(columns):
            raise DataError(f"word {number}: expected {len(columns)} columns, found {len(row)}")
    return [dict(zip(map(str, columns), row, strict=True)) for row in whole]


async def _body(receive: Receive) -> bytes:
    """The request's body; of one that is too large, enough to tell."""
    body, more = bytearray(), True
    while more:
        message = await receive()
        if len(body) <= LARGEST:  # the rest is read, as clients read no answer before they have sent all
            body += message.get("body", b"")
        more = message.get("more_body", False)
    return bytes(body)


def _error(text: str) -> bytes:
    return json.dumps({"error": " ".join(text.split())}, ensure_ascii=False).encode() + b"\n"
