"""Predictions over HTTP: words in as JSON, predictions or one line of error out."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from collections.abc import Awaitable, Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal
from urllib.parse import urlsplit

import uvicorn
from fastapi import Depends, FastAPI, Request, Response
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from esetrag import __version__
from esetrag.core.errors import DataError, EsetragError

if TYPE_CHECKING:
    from esetrag.predict.predictor import Predictor  # imports PyTorch, and the port is taken before
    from esetrag.predict.sequence_predictor import SequencePredictor

POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'"
"""Of the demo page: it loads nothing, and asks this server alone."""
PATH, JSON = "/invocations", "application/json"
BYTES, SYMBOLS, SENTENCE, WORDS, LABELS = 2**21, 250, 5000, 20_000, 200_000
"""Most bytes of a request, symbols of a word and of a sentence, words of a request, labels (words times
``top_k``)."""
CHUNK = 256
"""Words that are predicted at once; between two chunks other requests have their turn."""
DRAIN = 5
"""Seconds after SIGTERM in which accepted requests may end."""
LOOPBACK = ("localhost", "127.0.0.1", "::1")


def _unwrapped(value: Any) -> Any:
    match value:
        case {"form": str(form), "features": str(features)} if len(value) == 2:
            return f"{form}\t{features}"
        case {"first": str(first), "second": str(second)} if len(value) == 2:
            return f"{first}\t{second}"
        case {"first": str(first), "second": str(second), "features": str(features)} if len(value) == 3:
            return f"{first}\t{second}\t{features}"
        case {"form": form} if len(value) == 1:
            return form
    return value


def _cell(row: Any) -> Any:
    return row[0] if isinstance(row, list) and len(row) == 1 else row


Words = Annotated[
    list[Annotated[str, BeforeValidator(_unwrapped)]], Field(max_length=WORDS), BeforeValidator(_unwrapped)
]
Cells = Annotated[list[Annotated[str, BeforeValidator(_cell)]], Field(max_length=WORDS)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Params(_Strict):
    """MLflow's ``params``."""

    top_k: Annotated[int, Field(ge=1)] = 1


class Split(_Strict):
    """A table as pandas writes it with ``orient="split"``."""

    columns: tuple[Literal["form"]] = ("form",)
    index: list[Any] | None = None
    data: Cells


class Question(_Strict):
    """A request in one of MLflow's shapes; a word may be a record ``{"form": word}``, with its features.

    A pair may be one of ``first`` and ``second``.
    """

    inputs: Words | None = None
    instances: Words | None = None
    dataframe_records: Words | None = None
    dataframe_split: Split | None = None
    params: Params | None = None


def parse(body: bytes, symbols: int = SYMBOLS) -> tuple[list[str], int]:
    """The words of a request, of so many symbols at most, and how many labels of each are asked for.

    Raises:
        HTTPException: 400 or 413, if it is none or asks for too much.
    """
    try:
        question = Question.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        if first["type"] == "too_long":
            raise HTTPException(413, f"expected {WORDS:,} words at most, found more") from error
        place = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in first["loc"])
        found = f", found {str(first['input'])[:40]}" if place else ""
        raise HTTPException(400, f"{place.lstrip('.') or 'request'}: {first['msg']}{found}") from error
    split = question.dataframe_split and question.dataframe_split.data
    tables = [question.inputs, question.instances, question.dataframe_records, split]
    words = [table for table in tables if table is not None]
    if len(words) != 1 or not words[0]:
        expected = "expected words in one of inputs, instances, dataframe_records and dataframe_split"
        raise HTTPException(400, f"{expected}, found {'no word' if len(words) == 1 else len(words)}")
    if (longest := max(map(len, words[0]))) > symbols:
        raise HTTPException(400, f"expected {symbols:,} symbols a word at most, found {longest:,}")
    return words[0], question.params.top_k if question.params else 1


def application(
    predictors: Mapping[str, Predictor | SequencePredictor], hosts: Collection[str] = ()
) -> FastAPI:
    """The server of one model or several: the first one's at the root, each one's under its name, too.

    Args:
        predictors: the models by their tasks.
        hosts: names by which it may be called beside those of loopback; ``*`` is any.
    """
    allowed = {*LOOPBACK, *map(str.lower, hosts)}
    root, *served = (
        _application(predictor, allowed, list(predictors))
        for predictor in (next(iter(predictors.values())), *predictors.values())
    )
    for task, app in zip(predictors, served, strict=True):
        root.mount(f"/{task}", app)
    return root


def _application(
    predictor: Predictor | SequencePredictor, allowed: Collection[str], tasks: list[str]
) -> FastAPI:
    symbols = SENTENCE if predictor.checkpoint.vocabulary.words else SYMBOLS
    worker = ThreadPoolExecutor(1)  # requests take turns chunk by chunk; the event loop stays free

    async def check_host(request: Request) -> None:
        """Against DNS rebinding: a page from elsewhere may not call a server of this machine."""
        with contextlib.suppress(ValueError):  # of a malformed header
            if "*" in allowed or urlsplit(f"//{request.headers.get('host', '')}").hostname in allowed:
                return
        raise HTTPException(400, "unknown Host; start the server with --allow-host NAME to allow it")

    async def refuse(_: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        text = error.detail if isinstance(error, HTTPException) else "the server failed; its log says why"
        return _json({"error": " ".join(text.split())}, status)

    app = FastAPI(
        openapi_url=None,
        redirect_slashes=False,
        dependencies=[Depends(check_host)],
        exception_handlers={HTTPException: refuse, Exception: refuse},
    )

    @app.get("/ping")
    @app.get("/health")
    @app.get("/version")
    async def state() -> Response:
        return _json({"status": "ok", "version": __version__})

    @app.get("/")
    async def demo() -> Response:
        page = Path(__file__).with_name("demo.html").read_text("utf-8")
        return Response(page, media_type="text/html", headers={"Content-Security-Policy": POLICY})

    @app.get("/model")
    async def model() -> Response:
        known, vocabulary = predictor.checkpoint, predictor.checkpoint.vocabulary
        name = {"task": known.manifest.training.get("task", ""), "tasks": tasks}
        reads = "pairs" if vocabulary.reads_pairs else "sentences" if vocabulary.words else "words"
        asked = {"reads": reads, "bundles": predictor.bundles, "writes_tags": vocabulary.writes_tags}
        return _json(name | asked)

    async def answered(request: Request, answer: Callable[..., Awaitable[Response]]) -> Response:
        """What is answered to the words of a request and the labels of each that are asked for."""
        if request.headers.get("content-type", "").split(";")[0].strip().lower() != JSON:
            raise HTTPException(415, f"expected JSON; send the header Content-Type: {JSON}")
        run = partial(asyncio.get_running_loop().run_in_executor, worker)
        try:
            words, top_k = await run(parse, await _body(request), symbols)
            if not predictor.separated and any("\t" in word for word in words):
                raise HTTPException(400, "this model takes words without features")
            return await answer(run, words, top_k)
        except DataError as error:  # a word without features, or with unknown ones
            raise HTTPException(400, str(error)) from error
        except (ClientDisconnect, asyncio.CancelledError) as error:
            raise HTTPException(503, "the request or the server ended too early") from error

    async def explained(run: Callable[..., Awaitable[Any]], words: list[str], _: int) -> Response:
        from esetrag.predict.explain import explain

        return _json(await run(explain, predictor, words[0]))

    @app.post("/explain")
    async def explanation(request: Request) -> Response:
        return await answered(request, explained)

    def records(words: list[str], top_k: int) -> str:
        predictions = predictor.predict(words, top_k)
        return ", ".join(json.dumps(one.record(top_k > 1), ensure_ascii=False) for one in predictions)

    async def predicted(run: Callable[..., Awaitable[Any]], words: list[str], top_k: int) -> Response:
        top_k = min(top_k, len(predictor.labels))
        if len(words) * top_k > LABELS:
            found = f"{len(words):,} words of {top_k} labels"
            raise HTTPException(413, f"expected {LABELS:,} labels at most, found {found}")
        chunks = [words[start : start + CHUNK] for start in range(0, len(words), CHUNK)]
        parts = [await run(records, chunk, top_k) for chunk in chunks]
        return Response(f'{{"predictions": [{", ".join(parts)}]}}\n', media_type=JSON)

    @app.post(PATH)
    async def invocations(request: Request) -> Response:
        return await answered(request, predicted)

    return app


async def _body(request: Request) -> bytes:
    """The body; the rest of one too long is received and dropped: clients read no answer before its end."""
    body = bytearray()
    async for part in request.stream():
        body += part if len(body) <= BYTES else b""
    if len(body) > BYTES:
        raise HTTPException(413, f"expected {BYTES:,} bytes at most, found more")
    return bytes(body)


def _json(content: dict[str, Any], status: int = 200) -> Response:
    return Response(json.dumps(content, ensure_ascii=False) + "\n", status, media_type=JSON)


def listen(host: str, port: int) -> socket.socket:
    """Takes a port, before anything is loaded; 0 is a free one.

    Raises:
        EsetragError: if it is not free.
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


class _Server(uvicorn.Server):
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Names the address once signals are handled and requests accepted."""
        await super().startup(sockets)
        host, port = sockets[0].getsockname()[:2] if sockets else ("", 0)
        print(f"http://{f'[{host}]' if ':' in host else host}:{port}{PATH}", flush=True)


def serve(app: FastAPI, listening: socket.socket) -> None:
    """Answers requests until SIGTERM or SIGINT."""
    options = uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=DRAIN)
    _Server(options).run(sockets=[listening])
