"""The command line: ``esetrag predict``, ``compare``, ``track``, ``promote``, ``serve`` and the others."""

from __future__ import annotations

import argparse
import gc
import json
import sys
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import cast

from esetrag import cli_experiments
from esetrag.core import config, files, runtime
from esetrag.core.errors import DataError, mendable
from esetrag.core.layout import PARAMS, Layout
from esetrag.core.streams import mute, tell
from esetrag.predict import commands as predicting

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
    predicting.add_words(predict, "1")
    analyze = command(_analyze, "predict all features of words", "the first with several features")
    predicting.add_words(analyze, "all probable ones; 1 in tables")
    analyze.add_argument("--lemmas", metavar="TASK", help="a task that lemmatises, for the lemmas too")

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

    audit = command(
        _audit, "list the rows of a UniMorph table that a model of right forms doubts", default=""
    )
    audit.add_argument("table", type=Path, metavar="TABLE")
    judging = "a task whose builder is valid (default: the first)"
    audit.add_argument("--with", dest="task", metavar="TASK", help=judging)
    audit.add_argument("--output", type=Path, metavar="FILE", help=".tsv (default: standard output)")

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

    ui = command(_ui, "show the runs in MLflow's pages", "all")
    ui.add_argument("--port", type=int, default=5000, help="default: %(default)s")
    promote = command(_promote, "make a run's model the champion if it is better (exit code 1: it is not)")
    promote.add_argument("name", nargs="?", metavar="RUN", help="id or name (default: the workspace's run)")
    promote.add_argument("--anyway", action="store_true", help="even if it is not significantly better")

    serve = command(_serve, "answer HTTP requests with the predictions of the workspace's models", "all")
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

    cli_experiments.add(command)

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


def _tasks(options: Options) -> tuple[config.Params, list[Layout]]:
    """All parameters, and the task that is named or all of them."""
    params = config.load(PARAMS)
    names = [options.task] if options.task else list(params.tasks)
    return params, [Layout(name) for name in names if params.task(name)]


def _predict(options: Options) -> None:
    predicting.check_words(options)
    folder = options.checkpoint or cli_experiments.task_of(options)[1].checkpoint
    from esetrag import predict

    predicting.label(options, lambda: predict.load(folder), most=1)


def _analyze(options: Options) -> None:
    predicting.check_words(options)
    params = config.load(PARAMS)
    folder = options.checkpoint or Layout(params.task_that("analyzes", options.task)).checkpoint
    lemmas = options.lemmas and Layout(params.task_that("lemmatises", options.lemmas)).checkpoint
    from esetrag.predict.analyzer import MOST_BUNDLES, Analyzer  # imports PyTorch

    predicting.label(options, lambda: Analyzer.of(folder, lemmas), MOST_BUNDLES)


def _inflect(options: Options) -> None:
    _write(options, [options.lemma], options.features)


def _paradigm(options: Options) -> None:
    _write(options, [options.lemma], None)


def _lemmatise(options: Options) -> None:
    _write(options, options.words, [])


def _write(options: Options, words: list[str], bundles: list[str] | None) -> None:
    """Writes words for words, each with each bundle; None are all bundles that training has."""
    name = config.load(PARAMS).task_that("lemmatises" if bundles == [] else "inflects", options.task)
    from esetrag import predict
    from esetrag.predict import inputs, outputs

    predictor = predict.load(Layout(name).checkpoint)
    wanted = predictor.bundles if bundles is None else bundles
    queries = [f"{word}\t{bundle}" for word in words for bundle in wanted] if wanted else words
    outputs.write(predictor, inputs.from_words(queries), options.top_k, options.format, None)


def _audit(options: Options) -> None:
    params = config.load(PARAMS)
    name = params.task_that("judges", options.task)
    from esetrag.predict import doubts
    from esetrag.predict.pair_predictor import PairPredictor

    task = cast("config.BuiltPairsTask", params.task(name))
    found = doubts.tsv(PairPredictor.load(Layout(name).checkpoint), options.table, task)
    if options.output:
        files.write_text(options.output, found)
    else:
        _print(found.rstrip("\n"))


def _compare(options: Options) -> None:
    params, layout = cli_experiments.task_of(options)
    from esetrag.tracking import compare
    from esetrag.tracking.run_state import State

    a, b = (State.named(name, layout, params.experiment_of(layout.task)) for name in (options.a, options.b))
    result = compare.compare(a, b, params.evaluate)
    content = json.dumps(compare.content(result), indent=2, ensure_ascii=False)
    _print(content if options.format == "json" else compare.text(result, options.all))


def _track(options: Options) -> None:
    from esetrag.tracking import run_state, store, tracker

    def log(layouts: list[Layout], params: config.Params, origin: dict[str, str] | None = None) -> None:
        for task, run_id in tracker.complete_each(layouts, params, origin, options.wait):
            _print(f"{task}: run {run_id} in {store.address()}")

    if options.rev is None:
        params, layouts = _tasks(options)
        return log(layouts, params)
    tracking = config.load(PARAMS).tracking  # no stage depends on it, so runs go where the workspace says
    with (
        run_state.Revision.named(options.rev) as revision,
        run_state.restored(revision, options.task) as (layouts, params),
    ):
        return log(layouts, params.model_copy(update={"tracking": tracking}), revision.origin)


def _ui(options: Options) -> None:
    params, layouts = _tasks(options)
    from esetrag.tracking import store

    store.browse([params.experiment_of(layout.task) for layout in layouts], options.port)


def _promote(options: Options) -> None:
    params, layout = cli_experiments.task_of(options)
    from esetrag.tracking import promote

    verdict = promote.promote(layout, params, options.name, options.anyway)
    _print(verdict.text)
    if not verdict.is_champion:
        sys.exit(1)


def _serve(options: Options) -> None:
    params, layout = cli_experiments.task_of(options)
    from esetrag import predict
    from esetrag.predict import server
    from esetrag.tracking import runs

    listening = server.listen(options.host, options.port)
    stored = runs.checkpoint_of(layout, params, options.name, options.champion)
    with nullcontext(options.checkpoint) if options.checkpoint else stored as folder:
        predictors = {layout.task: predict.load(folder)}
    if not any((options.task, options.checkpoint, options.name, options.champion)):
        trained = [other for other in map(Layout, params.tasks) if other.manifest.is_file()]
        predictors |= {other.task: predict.load(other.checkpoint) for other in trained if other != layout}
    server.serve(server.application(predictors, [options.host, *options.allow_host]), listening)


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


def _results(options: Options) -> None:
    from esetrag.report import results

    results.update(Path("README.md"), Path("metrics"), options.check)
