"""Rows to symbol ids of one width, and to the ids of what is predicted or written."""

from esetrag import tasks
from esetrag.core import config, files, stage
from esetrag.core.layout import PARTS, Layout
from esetrag.symbols import encoded_parts, encoding
from esetrag.symbols.vocabulary import Vocabulary


def main(layout: Layout, task: config.AnyTask, options: config.EncodePad) -> None:
    """Writes the encoded parts and what was cut or unknown in them."""
    vocabulary, kind = Vocabulary.read(layout.vocab), tasks.of(task)
    longest = options.max_symbols if kind.cuts else None
    shapes = {part: encoded_parts.shape_of(layout.sample(part), vocabulary, kind, longest) for part in PARTS}
    width = shapes["train"].width if kind.cuts else max(shape.width for shape in shapes.values())
    for shape in shapes.values():
        encoding.check_size(shape.rows, width)
    summary = {}
    for part in PARTS:
        source, target = layout.sample(part), layout.encoded(part)
        room = (width, options.keep, shapes[part].steps)
        summary[part] = encoded_parts.encode_part(source, target, vocabulary, kind, *room)
    files.write_json(
        layout.metrics / "encoding.json", {"width": width if kind.cuts else None, "parts": summary}
    )


if __name__ == "__main__":
    stage.run(main, config.AnyTask, config.EncodePad)
