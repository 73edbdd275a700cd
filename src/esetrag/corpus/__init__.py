"""UniMorph tables: rows, true values of a form, parts, families of lemmas."""
