"""The command line: ``esetrag predict``, ``compare``, ``track``, ``check`` and ``results``."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from esetrag import params
from esetrag.errors import DataError, EsetragError
from esetrag.layout import Layout

PARAMS = Path("params.yaml")


def main(arguments: list[str] | None = None) -> None:
    """Runs one command; an error the user can mend is one line and exit code 2."""
    parser = argparse.ArgumentParser(
        prog="esetrag", description="Reads a grammatical feature off word forms."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    predict = commands.add_parser("predict", help="read the label of some words")
    predict.add_argument("words", nargs="+")
    predict.add_argument("--task", help="a key of tasks in params.yaml (default: the first)")
    predict.add_argument("--top-k", type=int, default=1, metavar="K", help="labels a word (default: 1)")
    predict.set_defaults(run=_predict)

    compare = commands.add_parser(
        "compare", help="say what differs between two runs, how surely one is better"
    )
    where = "a git revision, a DVC experiment, or workspace: the files as they are"
    compare.add_argument("a", metavar="A", help=where)
    compare.add_argument("b", metavar="B", help="the same; B is measured against A")
    compare.add_argument("--task", help="a key of tasks in params.yaml (default: the first)")
    compare.add_argument("--examples", type=int, default=20, metavar="N", help="forms a list (default: 20)")
    compare.add_argument("--format", choices=("text", "json"), default="text", help="json holds all forms")
    compare.set_defaults(run=_compare)

    track = commands.add_parser("track", help="log the MLflow run of each finished task that the store lacks")
    track.add_argument("--task", help="only this one")
    track.set_defaults(run=_track)

    check = commands.add_parser("check", help="check params.yaml before any work")
    check.set_defaults(run=lambda _: params.load(PARAMS))

    results = commands.add_parser("results", help="write the table of results into README.md")
    results.add_argument("--check", action="store_true", help="only say whether it is up to date")
    results.set_defaults(run=_results)

    parsed = parser.parse_args(arguments)
    try:
        parsed.run(parsed)
    except EsetragError as error:
        print(f"esetrag: {error}", file=sys.stderr)
        sys.exit(2)


def _predict(given: argparse.Namespace) -> None:
    known = params.load(PARAMS)
    task = given.task or next(iter(known.tasks))
    known.task(task)
    from esetrag.reader import Reader  # imports torch: only here

    reader = Reader.load(Layout(task).checkpoint)
    for reading in reader.predict(given.words, max(given.top_k, 1)):
        pairs = zip(reading.labels, reading.probabilities, strict=True)
        shares = "  ".join(f"{label} {share:.1%}" for label, share in pairs)
        note = f"  (unknown to the reader: {reading.unknown})" if reading.unknown else ""
        print(f"{reading.form}  {shares}{note}")


def _compare(given: argparse.Namespace) -> None:
    known = params.load(PARAMS)
    layout = Layout(given.task or next(iter(known.tasks)))
    known.task(layout.task)
    from esetrag import comparison
    from esetrag.states import State

    found = comparison.compare(State.named(given.a, layout), State.named(given.b, layout), known.evaluate)
    if given.format == "json":
        print(json.dumps(comparison.content(found), indent=2, ensure_ascii=False))
    else:
        print(comparison.text(found, max(given.examples, 0)))


def _track(given: argparse.Namespace) -> None:
    known = params.load(PARAMS)
    from esetrag import runs, tracking

    for task in [given.task] if given.task else known.tasks:
        known.task(task)
        run_id = tracking.project(runs.collect(Layout(task), known), known.tracking.experiment)
        print(f"{task}: run {run_id} in {tracking.store()}")


def _results(given: argparse.Namespace) -> None:
    from esetrag import files, results

    readme = Path("README.md")
    now = readme.read_text("utf-8")
    new = results.insert(now, results.table(Path("metrics")))
    if given.check and new != now:
        raise DataError(f"{readme}: its table of results is not that of metrics/; run: esetrag results")
    if new != now:
        files.write_text(readme, new)


if __name__ == "__main__":
    main()
