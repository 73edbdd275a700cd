"""UniMorph tables: rows, label sets, splits, families of lemmas."""
