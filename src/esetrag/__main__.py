"""The command line: ``esetrag predict``, ``compare``, ``track``, ``promote``, ``serve`` and the like."""

from __future__ import annotations

import argparse
import gc
import json
import sys
from pathlib import Path

from esetrag.core import config, files
from esetrag.core.errors import DataError, ParamsError, mendable
from esetrag.core.layout import PARAMS, Layout
from esetrag.core.streams import mute, tell


def main(arguments: list[str] | None = None) -> None:
    """Runs one command; an error the user can mend is one line and exit code 2."""
    parser = argparse.ArgumentParser(
        prog="esetrag", description="Reads a grammatical feature off word forms."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    predict = commands.add_parser("predict", help="read the label of some words")
    predict.add_argument("words", nargs="*", help="none: those of --input, or of standard input")
    which = predict.add_mutually_exclusive_group()
    which.add_argument("--task", help="a key of tasks in params.yaml (default: the first)")
    which.add_argument("--checkpoint", type=Path, metavar="FOLDER", help="in place of a task")
    predict.add_argument("--top-k", type=int, default=1, metavar="K", help="labels a word (default: 1)")
    predict.add_argument(
        "--format", choices=["text", "json", "tsv"], help="default: text for words given here, tsv for others"
    )
    predict.add_argument(
        "--input",
        type=Path,
        metavar="FILE",
        help=".txt, .tsv (or .gz of them), .parquet; - is standard input",
    )
    predict.add_argument(
        "--column",
        help="the words' column: number or name in the first line (default: 1; parquet: form)",
    )
    predict.add_argument("--output", type=Path, metavar="FILE", help=".txt, .json, .tsv or .parquet")
    predict.set_defaults(run=_predict)

    compare = commands.add_parser(
        "compare", help="say what differs between two runs, how surely one is better"
    )
    where = "workspace (the files as they are), a git revision, a DVC experiment, an MLflow run's id or name"
    compare.add_argument("a", metavar="A", help=where)
    compare.add_argument("b", metavar="B", help="the same; B is measured against A")
    compare.add_argument("--task", help="a key of tasks in params.yaml (default: the first)")
    compare.add_argument("--examples", type=int, default=20, metavar="N", help="forms a list (default: 20)")
    compare.add_argument("--format", choices=("text", "json"), default="text", help="json holds all forms")
    compare.set_defaults(run=_compare)

    track = commands.add_parser("track", help="log the MLflow run of each finished task that the store lacks")
    track.add_argument("--task", help="only this one")
    track.add_argument("--rev", help="a git revision or DVC experiment in place of the workspace")
    track.set_defaults(run=_track)

    promote = commands.add_parser(
        "promote", help="make a run's model the champion if it is surely better (exit code 1: it is not)"
    )
    promote.add_argument("name", nargs="?", metavar="RUN", help="id or name (default: the workspace's run)")
    promote.add_argument("--task", help="a key of tasks in params.yaml (default: the first)")
    promote.add_argument("--anyway", action="store_true", help="whatever the figures are")
    promote.set_defaults(run=_promote)

    serve = commands.add_parser("serve", help="answer HTTP requests with the workspace's model, from its run")
    serve.add_argument("--task", help="a key of tasks in params.yaml (default: the first)")
    other = serve.add_mutually_exclusive_group()
    other.add_argument("--run", dest="name", metavar="RUN", help="id or name of a run in place of that one")
    other.add_argument("--champion", action="store_true", help="the task's champion in place of that one")
    serve.add_argument("--host", default="127.0.0.1", help="the address to listen on (default: %(default)s)")
    serve.add_argument("--port", type=int, default=5001, help="0 takes a free one (default: %(default)s)")
    serve.set_defaults(run=_serve)

    verify = commands.add_parser(
        "verify", help="read every artifact and DVC's cache byte for byte (exit code 1: damaged)"
    )
    verify.add_argument("--task", help="only this one")
    verify.set_defaults(run=_verify)

    check = commands.add_parser("check", help="check params.yaml before any work")
    check.set_defaults(run=lambda _: config.load(PARAMS))

    curve = commands.add_parser("curve", help="measure how the readers learn, from 30 forms on")
    curve.add_argument("--task", help="a key of tasks in params.yaml (default: the first)")
    curve.add_argument("--seeds", type=int, default=3, metavar="N", help="splits and samples (default: 3)")
    curve.add_argument("--sizes", type=int, nargs="+", metavar="FORMS", help="default: 30 100 300 1000 3000")
    curve.add_argument("--all", action="store_true", help="all training forms as well; takes minutes")
    curve.set_defaults(run=_curve)

    results = commands.add_parser("results", help="write the table of results into README.md")
    results.add_argument("--check", action="store_true", help="only say whether it is up to date")
    results.set_defaults(run=_results)

    parsed = parser.parse_args(arguments)
    if parsed.run is not _serve:  # which goes on for days
        gc.set_threshold(100_000)  # a third of the time in which PyTorch is imported
    try:
        parsed.run(parsed)
    except Exception as error:
        known = mendable(error)
        if known is None:
            raise
        tell(f"esetrag: {known}")
        sys.exit(2)


def _print(text: str) -> None:
    """Prints at once, when it can still be said that standard output is full."""
    try:
        print(text, flush=True)
    except OSError as error:
        mute()
        if not isinstance(error, BrokenPipeError):  # whoever read it, as head does, has enough
            raise DataError(f"standard output: cannot be written ({error.strerror})") from error


def _predict(given: argparse.Namespace) -> None:
    if given.words and given.input:
        raise DataError("expected words or --input, found both")
    if not given.words and not given.input and (sys.stdin is None or sys.stdin.isatty()):
        raise DataError("expected words, found none; name some, pipe them in or give --input FILE")
    folder = given.checkpoint or _checkpoint(given.task)
    from esetrag.predict import inputs, outputs  # import torch: only here
    from esetrag.predict.predictor import Predictor

    kind = outputs.format_of(given.output, given.format, "text" if given.words else "tsv")
    source = given.input or inputs.STANDARD_INPUT
    rows = inputs.from_words(given.words) if given.words else inputs.from_file(source, given.column)
    answers = outputs.read(Predictor.load(folder), rows, given.top_k)
    outputs.write(answers, kind, given.output)


def _checkpoint(task: str | None) -> Path:
    known = config.load(PARAMS)
    task = task or next(iter(known.tasks))
    known.task(task)
    return Layout(task).checkpoint


def _compare(given: argparse.Namespace) -> None:
    known = config.load(PARAMS)
    layout = Layout(given.task or next(iter(known.tasks)))
    known.task(layout.task)
    from esetrag.tracking import compare
    from esetrag.tracking.run_state import State

    a, b = (State.named(name, layout, known.tracking.experiment) for name in (given.a, given.b))
    found = compare.compare(a, b, known.evaluate)
    if given.format == "json":
        _print(json.dumps(compare.content(found), indent=2, ensure_ascii=False))
    else:
        _print(compare.text(found, max(given.examples, 0)))


def _track(given: argparse.Namespace) -> None:
    known = config.load(PARAMS)
    from esetrag.tracking import lock, log_run, revisions, store

    def log(layouts: list[Layout], then: config.Params, origin: dict[str, str] | None = None) -> None:
        for layout in layouts:
            run_id = log_run.complete(layout, then, origin=origin)
            _print(f"{layout.task}: run {run_id} in {store.place()}")

    if given.rev is None:
        tasks = [given.task] if given.task else list(known.tasks)
        layouts = [Layout(task) for task in tasks if known.task(task)]
        for layout in layouts:
            lock.check(layout, known)
        log(layouts, known)
        return
    revision = revisions.Revision.named(given.rev)
    with revisions.restored(revision, given.task) as (layouts, then):
        # No stage depends on the tracking, so where runs go is what the workspace says now.
        log(layouts, then.model_copy(update={"tracking": known.tracking}), revision.origin)


def _promote(given: argparse.Namespace) -> None:
    known = config.load(PARAMS)
    layout = Layout(given.task or next(iter(known.tasks)))
    known.task(layout.task)
    from esetrag.tracking import promote

    verdict = promote.promote(layout, known, given.name, given.anyway)
    _print(verdict.text)
    if not verdict.is_champion:
        sys.exit(1)


def _serve(given: argparse.Namespace) -> None:
    known = config.load(PARAMS)
    task = given.task or next(iter(known.tasks))
    known.task(task)
    from esetrag.tracking import server

    listening = server.listen(given.host, given.port)
    server.run(server.application(Layout(task), known, given.name, given.champion), listening)


def _curve(given: argparse.Namespace) -> None:
    known = config.load(PARAMS)
    layout = Layout(given.task or next(iter(known.tasks)))
    task = known.task(layout.task)
    if given.seeds < 1:
        raise ParamsError(f"--seeds: expected 1 or more, found {given.seeds}")
    from tqdm import tqdm

    from esetrag.data import unimorph
    from esetrag.data.audit import audit
    from esetrag.data.selection import select
    from esetrag.report import plots
    from esetrag.tracking import learning_curve

    raw = Path(task.raw)
    selection = select(unimorph.batches(raw), raw, task.pos, task.feature)
    selection = audit.settle(selection, audit.examine(selection, task), known.sample.suspicious)
    jobs = learning_curve.jobs(
        selection.table, known, given.seeds, given.sizes or learning_curve.SIZES, given.all
    )
    bar = tqdm(learning_curve.points(jobs), total=len(jobs), unit="sample", disable=not sys.stderr.isatty())
    confidence = known.evaluate.confidence
    means = learning_curve.table([point for some in bar for point in some], confidence)
    page = learning_curve.page(layout.task, means, confidence)
    plots.learning_curve(layout.curve.with_suffix(".png"), means, layout.task)
    files.write_text(layout.curve.with_suffix(".md"), page)
    files.write_text(layout.curve, means.to_csv(index=False, lineterminator="\n"))
    _print(page.partition("\n\n!")[0])


def _verify(given: argparse.Namespace) -> None:
    known = config.load(PARAMS)
    tasks = [given.task] if given.task else list(known.tasks)
    from esetrag.tracking import verify

    report = verify.verify([task for task in tasks if known.task(task)])
    print(report.text)
    if report.damaged:
        sys.exit(1)


def _results(given: argparse.Namespace) -> None:
    from esetrag.core import files
    from esetrag.report import results

    readme = Path("README.md")
    now = readme.read_text("utf-8")
    new = results.insert(now, results.table(Path("metrics")))
    if given.check and new != now:
        raise DataError(f"{readme}: its table of results is not that of metrics/; run: esetrag results")
    if new != now:
        files.write_text(readme, new)


if __name__ == "__main__":
    main()
