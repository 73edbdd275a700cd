"""Rows to symbol ids, padded to the longest training form, and label ids."""

from esetrag.corpus import tables
from esetrag.project import files, params, stage
from esetrag.project.layout import PARTS, Layout
from esetrag.symbols import encoding
from esetrag.symbols.vocab import Vocabulary


def main(layout: Layout, how: params.EncodePad) -> None:
    """Writes the encoded parts and what was cut or unknown in them."""
    vocabulary = Vocabulary.read(layout.vocab)
    rows = {part: tables.read(layout.sample(part), tables.SAMPLE) for part in PARTS}
    width = encoding.width_of(rows["train"]["form"], how.max_symbols)
    for part in PARTS:
        encoded = encoding.encode_rows(rows[part], vocabulary, width, how.keep)
        encoding.write(layout.encoded(part), encoded, len(vocabulary.symbols))
    account = {part: encoding.account(rows[part], vocabulary, width) for part in PARTS}
    files.write_json(layout.metrics / "encoding.json", {"width": width, "parts": account})


if __name__ == "__main__":
    stage.run(main, params.EncodePad)
