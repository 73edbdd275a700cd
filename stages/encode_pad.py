"""Rows to symbol ids, padded to the longest training form, and label ids."""

from esetrag import tasks
from esetrag.core import config, files, stage
from esetrag.core.layout import PARTS, Layout
from esetrag.symbols import encoded_parts, encoding
from esetrag.symbols.vocabulary import Vocabulary


def main(layout: Layout, task: config.ClassifyTask, options: config.EncodePad) -> None:
    """Writes the encoded parts and what was cut or unknown in them."""
    vocabulary, encode = Vocabulary.read(layout.vocab), tasks.of(task).encode
    shapes = {part: encoded_parts.shape_of(layout.sample(part), options.max_symbols) for part in PARTS}
    width = shapes["train"][1]
    for rows, _ in shapes.values():
        encoding.check_size(rows, width)
    summary = {}
    for part in PARTS:
        source, target = layout.sample(part), layout.encoded(part)
        summary[part] = encoded_parts.encode_part(source, target, vocabulary, width, options.keep, encode)
    files.write_json(layout.metrics / "encoding.json", {"width": width, "parts": summary})


if __name__ == "__main__":
    stage.run(main, config.ClassifyTask, config.EncodePad)
