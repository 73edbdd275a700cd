"""Given segmentations: python -m bench.segmentation FILE. Writes a table into docs/tag.md.

FILE is the Hungarian development file of SIGMORPHON 2022: a word and its segmentation in each line. The words
of a tenth of the stems (the longest segments) are kept out of training. Some are tested, and so are words of
stems that training has. Each seed has its own split and training.
"""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import torch

from bench import measure
from bench.measure import REPO, percent
from esetrag.core import config
from esetrag.core.layout import PARAMS
from esetrag.data import change, columns, sampling, segmented_rows
from esetrag.report.markdown import table
from esetrag.symbols import encoding
from esetrag.symbols.batch import Batch
from esetrag.tasks.tag import Tag
from esetrag.tasks.tag_evaluation import baselines, scores_of
from esetrag.tasks.transduce_evaluation import Ranked
from esetrag.training import trainer
from esetrag.training.data import Data

GROUP, DEV, TEST = "segmentation", 1000, 4500
MODEL = {"embedding": 48, "hidden": 192, "dropout": 0.0}
OPTIONS = {"epochs": 7, "min_steps": 0, "batch_size": 128, "learning_rate": 0.005, "label_smoothing": 0.0}
PAGE = REPO / "docs/tag.md"
BEGIN, END = "<!-- figures: python -m bench.segmentation FILE -->", "<!-- end of figures -->"
STEMS = {"seen": "of stems that training has", "new": "of new stems"}
NAMES = {"tagger": "`tagger`", "longest_suffix_split": "longest-suffix split"}
Figures = dict[str, float]


def parts_of(rows: pa.Table, seed: int, params: config.Params) -> dict[str, pa.Table]:
    """Rows of ``train`` and ``dev``, and test rows of ``seen`` and of ``new`` stems."""
    sample = params.sample.model_copy(update={"split": "lemma", "seed": 200 + seed})
    split, rng = sampling.split(rows, sample), np.random.default_rng(seed)
    known = pa.concat_tables([split["train"], split["dev"]])
    known = known.take(rng.permutation(len(known)))
    train = known.slice(DEV + TEST)
    seen = known.slice(DEV, TEST)
    seen = seen.filter(pc.is_in(seen["lemma"], pc.unique(train["lemma"])))
    new = split["test"].take(rng.permutation(len(split["test"]))[:TEST])
    return {"train": train, "dev": known.slice(0, DEV), "seen": seen, "new": new}


def run(path: Path, seed: int, params: config.Params) -> Figures:
    """Exact match and F1 of one seed, by kind of stem and model; CPU seconds of the training, sizes."""
    rows, task = segmented_rows.given(columns.select(path, 1, 2)).table, Tag()
    parts = parts_of(rows, seed, params)
    vocabulary = task.vocabulary([parts["train"]], params.build_vocab)
    width = max(encoding.width_of(part["form"], None) for part in parts.values())
    encoded = {name: task.encode(part, vocabulary, width, "end") for name, part in parts.items()}
    data = Data(encoded["train"], encoded["dev"], vocabulary, parts["train"])
    expert = config.TaggerModel.model_validate(params.models["tagger"].model_dump() | MODEL)
    model = config.Resolved("tagger", [expert], lemmas=False)
    options = params.train.model_copy(update={**OPTIONS, "analogies": 0, "seed": seed, "device": "cpu"})
    start = time.process_time()
    trained = trainer.fit(data, model, options)
    made: Figures = {"seconds": time.process_time() - start, "train": len(parts["train"])}
    fitted = trained.calibrate(data, params.calibration)
    for stems in STEMS:
        forms, batch = change.words(parts[stems]["form"]), Batch.of(encoded[stems], torch.device("cpu"))
        models = {"tagger": Ranked.of(trained.network, fitted, batch, forms, vocabulary)}
        models |= baselines(parts["train"], encoded["train"], batch, forms, vocabulary)
        made[f"{stems} words"] = len(forms)
        for name in NAMES:
            scores = scores_of(parts[stems], models[name])
            made |= {f"{stems} {name} {score}": scores[score].value for score in ("accuracy", "f1")}
    return made


def page(runs: list[Figures]) -> str:
    """The table, means over the seeds in %."""
    rows = []
    for stems, text in STEMS.items():
        for name in NAMES:
            keys = [f"{stems} {name} {score}" for score in ("accuracy", "f1")]
            cells = [percent([run[key] for run in runs], 1) for key in keys]
            rows.append((f"{text}, {int(runs[0][f'{stems} words']):,}", NAMES[name], *cells))
    return table(("words", "model", "exact", "F1"), rows, "llrr")


def main() -> None:
    """Measures what is not measured yet, and writes the table."""
    options = measure.parser(__doc__)
    options.add_argument("file", type=Path)
    options.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    arguments = options.parse_args()
    torch.set_num_threads(1)
    params, known = config.load(REPO / PARAMS), measure.read(GROUP, arguments.quick)
    for seed in arguments.seeds:
        if str(seed) not in known:
            known[str(seed)] = run(arguments.file, seed, params)
            measure.write(f"{GROUP}/{seed}", known[str(seed)], arguments.quick)
            print(seed, {key: round(value, 4) for key, value in known[str(seed)].items()}, flush=True)
    text = page([known[str(seed)] for seed in arguments.seeds])
    if not arguments.quick and len(arguments.seeds) > 1:
        before, _, rest = PAGE.read_text("utf-8").partition(BEGIN)
        PAGE.write_text(f"{before}{BEGIN}\n{text}\n{END}{rest.partition(END)[2]}", "utf-8")
    print(text)


if __name__ == "__main__":
    main()
