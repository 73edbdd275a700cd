# %% [markdown]
# # From letters to a case
#
# This notebook walks through the lecture on character-level LSTMs with the artifacts of this pipeline. *házból* is in the
# case IN+ABL ("out of the house"). A network shall find that out from the letters alone.
#
# Run `make repro` once, and then this notebook from the root of the repository (`make lecture` makes it anew).
# Every number below is computed here.

# %%
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence

from esetrag.analysis import attention
from esetrag.core import config, files, tables
from esetrag.core.layout import PARTS, Layout
from esetrag.models import checkpoint
from esetrag.predict import load
from esetrag.report import figures
from esetrag.symbols import encoding
from esetrag.symbols.batch import Batch
from esetrag.symbols.vocabulary import PAD
from esetrag.training import gradient, history
from esetrag.training.data import Data
from esetrag.training.history import Epoch
from esetrag.training.loop import Loop, measure

params = config.load(Path("params.yaml"))
case, segments, inflect = Layout("hun-noun-case"), Layout("hun-segments"), Layout("hun-inflect")
torch.set_num_threads(1)
cpu = torch.device("cpu")

# %% [markdown]
# ## The data
#
# A row is a lemma, one of its forms, and the label. The stage `sample` has split the table by lemma: a lemma of the test
# set is in no other part.

# %%
parts = {part: tables.read(case.sample(part), tables.SAMPLE) for part in PARTS}
parts["train"].to_pandas()[["lemma", "form", "features", "label"]].head(8)

# %%
lemmas = {part: set(rows["lemma"].to_pylist()) for part, rows in parts.items()}
print({part: f"{len(parts[part]):,} forms of {len(lemmas[part]):,} lemmas" for part in PARTS})
print("lemmas in both training and test set:", len(lemmas["train"] & lemmas["test"]))
labels = sorted(set(parts["train"]["label"].to_pylist()))
print(len(labels), "labels:", *labels)

# %% [markdown]
# The lecture's text says 18 cases. The table has 17 values, and so had the lecture's output. Grammars of Hungarian count 18 or more:
# they add, for example, the essive-modal *-ul/-ül*, which the table does not have.
#
# ## Symbols
#
# The stage `build_vocab` numbers the symbols of the training forms. PAD is 0. BOS and EOS stand before and after a word;
# UNK is any symbol that training does not have.

# %%
data = Data.read(case)
vocabulary = data.vocabulary
ids, lengths = encoding.encode(parts["train"]["form"].slice(0, 3), vocabulary, 14, "end")
for form, row in zip(parts["train"]["form"].to_pylist(), ids, strict=False):
    print(f"{form:14}", " ".join(f"{vocabulary.symbols[i]}={i}" for i in row))

# %% [markdown]
# ## Padding
#
# A batch is a rectangle, but words differ in length. The rest is PAD. Here are 32 words, each a row; a colour is a symbol,
# white is PAD.

# %%
train = Batch.of(data.train, cpu)
batch = train[:32]
shades = plt.get_cmap("viridis").copy()
shades.set_under("white")
figure, axes = plt.subplots(figsize=(7.2, 3.6))
axes.imshow(batch.source.ids, cmap=shades, vmin=0.5, aspect="auto")
axes.xaxis.get_major_locator().set_params(integer=True)
axes.set(xlabel="symbol", ylabel="word", title=f"{(batch.source.ids == PAD).float().mean():.0%} is PAD")
figure

# %%
order = torch.argsort(train.source.lengths, stable=True)
sorted_batches = [train[rows] for rows in order.split(32)]
drawn_batches = [train[rows] for rows in torch.arange(len(train)).split(32)]
for name, batches in (("as drawn", drawn_batches), ("sorted by length", sorted_batches)):
    pad = sum(int((b.source.ids == PAD).sum()) for b in batches) / sum(b.source.ids.numel() for b in batches)
    print(f"{name}: {pad:.0%} of all places are PAD")

# %% [markdown]
# ## Shapes
#
# Embedding, an LSTM in both directions, a linear layer. `b` words, `t` symbols.

# %%
model = params.models["bilstm"]
network = gradient.untrained(data, model, seed=1)
network.eval()
embedded = network.encoder.embedding(batch.source.ids)
states = network.encoder(batch.source)
for name, tensor in {
    "ids (b, t)": batch.source.ids,
    "embedded (b, t, 30)": embedded,
    "states (b, t, 2 x 64)": states.outputs,
    "last states (b, 2 x 64)": states.final,
    "logits (b, labels)": network(batch),
}.items():
    print(f"{name:24}", tuple(tensor.shape))
print(f"{sum(p.numel() for p in network.parameters()):,} weights")

# %% [markdown]
# ## Packed sequences
#
# The lecture packs sequences, so that the LSTM skips PAD. Here two LSTMs run over rows with PAD on the right, the second over
# reversed rows. The last state is taken at each word's own end, so PAD has no effect. Both give the same:

# %%
packed_lstm = nn.LSTM(model.embedding, model.hidden, batch_first=True, bidirectional=True)
ahead, back = network.encoder.layers[0]
weights = dict(ahead.state_dict())
weights |= {f"{name}_reverse": value for name, value in back.state_dict().items()}
packed_lstm.load_state_dict(weights)
with torch.inference_mode():
    packed = pack_padded_sequence(embedded, batch.source.lengths, batch_first=True, enforce_sorted=False)
    _, (last, _) = packed_lstm(packed)
    difference = (torch.cat([last[0], last[1]], dim=1) - states.final).abs().max()
print("equal to five places:", bool(difference < 1e-5))

# %% [markdown]
# ## A check before training
#
# An untrained network should be as good as chance: accuracy near 1/17, loss near ln 17.

# %%
dev = Batch.of(data.dev, cpu)
loss, accuracy = measure(network, dev)
print(f"accuracy {accuracy:.1%}, chance {1 / len(labels):.1%}")
print(f"loss {loss:.2f} nats, ln {len(labels)} = {torch.log(torch.tensor(len(labels))):.2f}")

# %% [markdown]
# ## Training
#
# The lecture's settings: Adam, rate 0.001, batches of 128, 30 epochs, no dropout. The weights that are kept are those of the latest epoch whose loss on the
# development set is within 0.01 of the lowest.

# %%
lecture = {
    "learning_rate": 0.001, "batch_size": 128, "epochs": 30, "min_steps": 0, "schedule": "constant",
    "weight_decay": 0.0, "label_smoothing": 0.0, "clip": None, "shuffle": False, "pool": 1, "analogies": 0, "device": "cpu",
}  # fmt: skip
options = params.section_of("hun-noun-case", config.Train).model_copy(update=lecture)


def train_network(
    rows: Data, dropout: float, patience: int | None = None, **changed: object
) -> tuple[nn.Module, list[Epoch]]:
    """Trains the BiLSTM; gives it back with its epochs."""
    loop = Loop(Batch.of(rows.dev, cpu), patience)
    shape = model.model_copy(update={"dropout": dropout})
    trained = gradient.fit(rows, shape, options.model_copy(update=changed), None, loop)
    return trained, loop.epochs


network, epochs = train_network(data, dropout=0.0)
best = history.best(epochs)
print(f"epoch 0: {epochs[0].dev_accuracy:.1%} of dev; epoch {best.epoch}: {best.dev_accuracy:.1%}")
figures.curves(epochs)

# %% [markdown]
# ## Early stopping
#
# With `patience` training stops when the development loss has not fallen for so many epochs. A higher rate shows it.

# %%
_, stopped = train_network(data, dropout=0.0, patience=5, learning_rate=0.01, epochs=60)
print(f"best epoch {history.best(stopped).epoch}, stopped after {stopped[-1].epoch} of 60")
figures.curves(stopped)

# %% [markdown]
# ## Overfitting and dropout
#
# 150 words are few. Without dropout the network learns them by heart: the training loss goes to 0, the development loss does not.
# Dropout narrows the gap.

# %%
few = Data.of(parts["train"].slice(0, 150), parts["dev"], params.build_vocab, params.encode_pad)
few_options = {"learning_rate": 0.005, "batch_size": 32, "epochs": 60}
runs = {dropout: train_network(few, dropout, **few_options)[1] for dropout in (0.0, 0.5)}
figure, panels = plt.subplots(1, 2, figsize=(7.2, 3), sharey=True, layout="constrained")
for axes, (dropout, run) in zip(panels, runs.items(), strict=True):
    for part in ("train", "dev"):
        axes.plot([getattr(epoch, f"{part}_loss") for epoch in run], label=part)
    axes.set(title=f"dropout {dropout}", xlabel="epoch", ylabel="loss", yscale="log")
panels[0].legend()
for dropout, run in runs.items():
    last = run[-1]
    print(f"dropout {dropout}: loss {last.train_loss:.2f} on train, {last.dev_loss:.2f} on dev,", end=" ")
    print(f"accuracy {last.train_accuracy:.0%} and {last.dev_accuracy:.0%}")
figure

# %% [markdown]
# ## Test and errors
#
# The pipeline's own model is trained with dropout, a one-cycle schedule, augmentation by analogy and a lemma prior. Its test set is
# large: 200 words cannot tell 97 % from 99 %.

# %%
test = files.read_json(case.metrics / "test.json")
names = [test["model"], *(name for name in test["models"] if name != test["model"])]
pd.DataFrame(
    [
        {"model": name, **{key: f"{test['models'][name][key]:.2%}" for key in ("accuracy", "low", "high")}}
        for name in names
    ]
)

# %%
errors = tables.read(case.errors, tables.ERRORS).to_pandas()
errors[["lemma", "form", "label", "predicted"]].head(10)

# %%
predicted = pd.read_parquet(case.predictions, columns=["label", "predicted"])
counts = predicted.value_counts().rename("forms").reset_index()
figures.confusion(counts)

# %% [markdown]
# ## Save and load
#
# A checkpoint is two files: the weights as safetensors, the rest as JSON. Nothing in it can run code, as a pickle could.

# %%
for path in sorted(case.checkpoint.iterdir()):
    print(f"{path.name:20} {path.stat().st_size:>9,} bytes")
loaded = checkpoint.load(case.checkpoint)
again = checkpoint.load(case.checkpoint)
with torch.inference_mode():
    print("the same logits:", torch.equal(loaded.network(dev[:]), again.network(dev[:])))

# %% [markdown]
# ## Inference
#
# *macska* is a lemma, *vlogból* is a word that no dictionary has.

# %%
for prediction in load(case.checkpoint).predict(["házból", "macska", "vlogból", "kertet"], top_k=2):
    ranked = zip(prediction.labels, prediction.probabilities, strict=True)
    print(f"{prediction.form:10}", "  ".join(f"{label} {share:.1%}" for label, share in ranked))

# %% [markdown]
# ## Tagging
#
# The same encoder with a linear layer at *each letter* splits a word. Each letter gets a tag; a tag that begins a segment has its name.

# %%
tagged = load(segments.checkpoint).predict(["házakból", "gyerekeknek"])
for prediction in tagged:
    print(prediction.form, "→", prediction.labels[0], f"({prediction.names})")
figure, panels = plt.subplots(1, 2, figsize=(7.2, 2.2), sharey=True, layout="constrained")
for axes, prediction in zip(panels, tagged, strict=True):
    places = range(len(prediction.form))
    axes.bar(places, prediction.tag_probabilities)
    axes.set_xticks(places, prediction.form)
    axes.set(ylim=(0, 1), title=prediction.labels[0])
panels[0].set_ylabel("probability of the tag")
figure

# %% [markdown]
# ## Attention
#
# To *write* a word, a decoder looks at the letters of the lemma at each step. A row is a step, a column a letter, dark is much weight.
# This model writes how the word changes: `cut(0,0)` keeps the whole lemma, then come the letters of the ending. Look at the step that
# writes the vowel: it has to know whether the vowels of the lemma are front or back. The first and the last column are BOS and EOS,
# the marks of the beginning and the end. Much weight on them is usual: the encoder reads in both directions, so these states know the
# whole word.

# %%
writer = checkpoint.load(inflect.checkpoint)
predictions = tables.read(inflect.predictions, tables.TRANSDUCTIONS)
encoded = encoding.read(inflect.encoded("test"), writer.vocabulary)
words = attention.table(writer.network, encoded, predictions, writer.vocabulary, seed=1).to_pylist()
figures.attention(words[-1])

# %%
for prediction in load(inflect.checkpoint).predict(["ház\tN;IN+ABL;SG", "kutya\tN;ACC;SG"], top_k=2):
    ranked = zip(prediction.labels, prediction.probabilities, strict=True)
    print(f"{prediction.form:8}", "  ".join(f"{word} {share:.1%}" for word, share in ranked))

# %% [markdown]
# ## Pairs
#
# Is a form right for a lemma and its features? *One* encoder reads both words; a hidden layer sees both states, their difference and
# their product, and all of these times the features. Half of the wrong forms of the training set have the change of another lemma:
# *sipkatól* is made like *háztól*. So the network has to learn the vowel harmony, not a list of endings. The others are forms of the
# lemma in another cell.

# %%
pairs = Layout("hun-valid")
asked = ["sipka\tsipkától\tN;AT+ABL;SG", "sipka\tsipkatól\tN;AT+ABL;SG", "sipka\tsipkától\tN;INST;SG"]
for query, prediction in zip(asked, load(pairs.checkpoint).predict(asked), strict=True):
    print(f"{query.expandtabs(10):38}{prediction.labels[0]:6} {prediction.probabilities[0]:.1%}")
models = files.read_json(pairs.metrics / "test.json")["models"]
pd.DataFrame(models).T[["accuracy", "low", "high", "auc"]].astype(float).round(3).rename_axis(
    "model"
).reset_index()

# %% [markdown]
# The form of the third pair is right in another cell. `esetrag audit` looks for such rows in a table: see `docs/pairs.md`.
#
# ## Questions
#
# - Train on 30, 100 and 300 words (`esetrag curve`). Where does the network overtake the longest-suffix baseline?
# - What happens with `dropout = 0.9`, and with a learning rate of 0.1?
# - Which letters does the model look at? `metrics/hun-noun-case/report.html` colours them.
