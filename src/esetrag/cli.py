"""The command line: ``esetrag predict``, ``compare``, ``track``, ``promote``, ``serve`` and the others."""

from __future__ import annotations

import argparse
import gc
import json
import sys
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

from esetrag.core import config, files, runtime
from esetrag.core.errors import DataError, mendable
from esetrag.core.layout import PARAMS, Layout
from esetrag.core.streams import mute, tell

Options = argparse.Namespace
Parser = argparse.ArgumentParser


def main(arguments: list[str] | None = None) -> None:
    """Runs one command; an error the user can mend is one line and exit code 2."""
    options = _parser().parse_args(arguments)
    if options.run is not _serve:  # which goes on for days
        gc.set_threshold(100_000)  # a third of the time in which PyTorch is imported
    runtime.handle_signals()
    try:
        options.run(options)
    except runtime.Stopped as stopped:
        runtime.leave(stopped.code)
    except Exception as error:
        known = mendable(error)
        if known is None:
            raise
        tell(f"esetrag: {known}")
        runtime.leave(2)


def _parser() -> Parser:
    parser = Parser(prog="esetrag", description="Models of words: classifies, inflects and lemmatises them.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(run: Callable[[Options], None], text: str, default: str = "the first") -> Parser:
        added = commands.add_parser(run.__name__.strip("_"), help=text)
        if default:
            added.add_argument("--task", help=f"a key of tasks in params.yaml (default: {default})")
        added.set_defaults(run=run)
        return added

    predict = command(_predict, "predict the labels of words")
    predict.add_argument("words", nargs="*", help="default: those of --input, or of standard input")
    predict.add_argument("--checkpoint", type=Path, metavar="FOLDER", help="in place of the task's")
    predict.add_argument("--top-k", type=int, default=1, metavar="K", help="labels a word (default: 1)")
    formats = "default: text for words of the command line, tsv for others and --text"
    predict.add_argument("--format", choices=["text", "json", "tsv"], help=formats)
    readable = ".txt, .tsv (or .gz, .xz, .bz2, .zst of them), .parquet; - is standard input"
    predict.add_argument("--input", type=Path, metavar="FILE", help=readable)
    number = "the words' column: number or name in the first line (default: 1; parquet: form)"
    predict.add_argument("--column", help=number)
    predict.add_argument("--text", action="store_true", help="the input is running text: predict its words")
    predict.add_argument("--output", type=Path, metavar="FILE", help=".txt, .json, .tsv or .parquet")

    inflect = command(_inflect, "write forms of a lemma", "the first that inflects")
    inflect.add_argument("lemma", help="a word")
    inflect.add_argument("features", nargs="+", help="bundles of features, such as 'N;IN+ABL;SG'")
    paradigm = command(_paradigm, "write a lemma's form of each bundle", "the first that inflects")
    paradigm.add_argument("lemma", help="a word")
    lemmatise = command(_lemmatise, "write the lemmas of words", "the first that lemmatises")
    lemmatise.add_argument("words", nargs="+")
    for added in (inflect, paradigm, lemmatise):
        added.add_argument("--top-k", type=int, default=1, metavar="K", help="outputs a word (default: 1)")
        added.add_argument("--format", choices=["text", "json", "tsv"], default="text", help="default: text")

    compare = command(_compare, "compare two runs: what differs, and whether one is significantly better")
    places = "workspace (the files as they are), a git revision, a DVC experiment, an MLflow run's id or name"
    compare.add_argument("a", metavar="A", help=places)
    compare.add_argument("b", metavar="B", help="the same; the difference is B minus A")
    compare.add_argument("--all", action="store_true", help="all rows of every table, not ten of each")
    compare.add_argument("--format", choices=("text", "json"), default="text", help="json has all forms")

    track = command(_track, "log the MLflow run of each finished task that the store lacks", "all")
    track.add_argument("--rev", help="a git revision or DVC experiment in place of the workspace")
    patience = "for the store and each task (default: 12 for a server, 120 for a file)"
    track.add_argument("--wait", type=float, metavar="SECONDS", help=patience)

    promote = command(_promote, "make a run's model the champion if it is better (exit code 1: it is not)")
    promote.add_argument("name", nargs="?", metavar="RUN", help="id or name (default: the workspace's run)")
    promote.add_argument("--anyway", action="store_true", help="even if it is not significantly better")

    serve = command(_serve, "answer HTTP requests with the predictions of the workspace's model")
    model = serve.add_mutually_exclusive_group()
    model.add_argument("--checkpoint", type=Path, metavar="FOLDER", help="another model")
    model.add_argument("--run", dest="name", metavar="RUN", help="the model of an MLflow run: its id or name")
    model.add_argument("--champion", action="store_true", help="the task's champion in the MLflow store")
    serve.add_argument("--host", default="127.0.0.1", help="the address to listen on (default: %(default)s)")
    serve.add_argument("--port", type=int, default=5001, help="0 takes a free one (default: %(default)s)")
    hosts = "a further Host that requests may name, beside those of this machine; * is any"
    serve.add_argument("--allow-host", action="append", default=[], metavar="NAME", help=hosts)

    command(_verify, "check every artifact and DVC's cache byte for byte (exit code 1: damaged)", "all")
    command(_check, "check params.yaml and dvc.lock before any work", default="")

    curve = command(_curve, "measure the accuracy by the number of training forms, from 30 on")
    curve.add_argument("--seeds", type=int, default=3, metavar="N", help="splits and samples (default: 3)")
    curve.add_argument("--sizes", type=int, nargs="+", metavar="FORMS", help="default: 30 100 300 1000 3000")
    curve.add_argument("--all", action="store_true", help="all training forms as well; takes minutes")

    results = command(_results, "write the table of results into README.md", default="")
    results.add_argument("--check", action="store_true", help="only check whether it is up to date")
    return parser


def _print(text: str) -> None:
    """Prints at once, while an error of standard output can still be reported."""
    try:
        print(text, flush=True)
    except OSError as error:
        mute()
        if not isinstance(error, BrokenPipeError):  # who reads it, as head does, has enough
            raise DataError(f"standard output: cannot be written ({error.strerror})") from error


def _task(options: Options) -> tuple[config.Params, Layout]:
    """All parameters, and the task that is named or the first one."""
    params = config.load(PARAMS)
    layout = Layout(options.task or next(iter(params.tasks)))
    params.task(layout.task)
    return params, layout


def _tasks(options: Options) -> tuple[config.Params, list[Layout]]:
    """All parameters, and the task that is named or all of them."""
    params = config.load(PARAMS)
    names = [options.task] if options.task else list(params.tasks)
    return params, [Layout(name) for name in names if params.task(name)]


def _predict(options: Options) -> None:
    if options.words and options.input:
        raise DataError("expected words or --input, found both")
    if options.task and options.checkpoint:
        raise DataError("expected --task or --checkpoint, found both")
    if not options.words and not options.input and (sys.stdin is None or sys.stdin.isatty()):
        raise DataError("expected words, found none; name some, pipe them in or give --input FILE")
    if options.text and options.column:
        raise DataError("expected --text or --column, found both")
    folder = options.checkpoint or _task(options)[1].checkpoint
    from esetrag import predict
    from esetrag.predict import inputs, outputs  # import PyTorch: only here

    kind = outputs.format_of(
        options.output, options.format, "text" if options.words and not options.text else "tsv"
    )
    source = options.input or inputs.STANDARD_INPUT
    if options.text:
        rows = inputs.from_text(" ".join(options.words) if options.words else source)
    else:
        rows = inputs.from_words(options.words) if options.words else inputs.from_file(source, options.column)
    predictor = predict.load(folder)
    rows = inputs.as_asked(rows, predictor.checkpoint.vocabulary)
    outputs.write(predictor, rows, options.top_k, kind, options.output)


def _inflect(options: Options) -> None:
    _write(options, [options.lemma], options.features)


def _paradigm(options: Options) -> None:
    _write(options, [options.lemma], None)


def _lemmatise(options: Options) -> None:
    _write(options, options.words, [])


def _write(options: Options, words: list[str], bundles: list[str] | None) -> None:
    """Writes words for words, each with each bundle; None are all bundles that training has."""
    name = config.load(PARAMS).writing_task(options.task, inflects=bundles is None or len(bundles) > 0)
    from esetrag import predict
    from esetrag.predict import inputs, outputs

    predictor = predict.load(Layout(name).checkpoint)
    wanted = predictor.bundles if bundles is None else bundles
    queries = [f"{word}\t{bundle}" for word in words for bundle in wanted] if wanted else words
    outputs.write(predictor, inputs.from_words(queries), options.top_k, options.format, None)


def _compare(options: Options) -> None:
    params, layout = _task(options)
    from esetrag.tracking import compare
    from esetrag.tracking.run_state import State

    a, b = (State.named(name, layout, params.tracking.experiment) for name in (options.a, options.b))
    result = compare.compare(a, b, params.evaluate)
    if options.format == "json":
        _print(json.dumps(compare.content(result), indent=2, ensure_ascii=False))
    else:
        _print(compare.text(result, options.all))


def _track(options: Options) -> None:
    from esetrag.tracking import lock, run_state, store, tracker

    def log(layouts: list[Layout], params: config.Params, origin: dict[str, str] | None = None) -> None:
        for layout in layouts:
            run_id = tracker.complete(layout, params, origin, options.wait)
            _print(f"{layout.task}: run {run_id} in {store.address()}")

    if options.rev is None:
        params, layouts = _tasks(options)
        for layout in layouts:
            lock.check(layout)
        return log(layouts, params)
    tracking = config.load(PARAMS).tracking  # no stage depends on it, so runs go where the workspace says
    with (
        run_state.Revision.named(options.rev) as revision,
        run_state.restored(revision, options.task) as (layouts, params),
    ):
        return log(layouts, params.model_copy(update={"tracking": tracking}), revision.origin)


def _promote(options: Options) -> None:
    params, layout = _task(options)
    from esetrag.tracking import promote

    verdict = promote.promote(layout, params, options.name, options.anyway)
    _print(verdict.text)
    if not verdict.is_champion:
        sys.exit(1)


def _serve(options: Options) -> None:
    params, layout = _task(options)
    from esetrag import predict
    from esetrag.predict import server
    from esetrag.tracking import runs

    listening = server.listen(options.host, options.port)
    stored = runs.checkpoint_of(layout, params, options.name, options.champion)
    with nullcontext(options.checkpoint) if options.checkpoint else stored as folder:
        predictor = predict.load(folder)
    server.serve(server.application(predictor, [options.host, *options.allow_host]), listening)


def _verify(options: Options) -> None:
    _, layouts = _tasks(options)
    from esetrag.tracking import verify

    report = verify.verify([layout.task for layout in layouts])
    _print(report.text)
    if report.damaged:
        sys.exit(1)


def _check(_: Options) -> None:
    config.load(PARAMS)
    from esetrag.tracking import lock

    if lock.LOCK.exists():
        lock.read(lock.LOCK)


def _curve(options: Options) -> None:
    params, layout = _task(options)
    from esetrag.tracking import learning_curve

    _print(learning_curve.measure(layout, params, options.seeds, options.sizes, options.all))


def _results(options: Options) -> None:
    from esetrag.report import results

    readme = Path("README.md")
    now = readme.read_text("utf-8")
    new = results.insert(now, results.table(Path("metrics")))
    if options.check and new != now:
        raise DataError(f"{readme}: its table of results is not that of metrics/; run: esetrag results")
    if new != now:
        files.write_text(readme, new)
