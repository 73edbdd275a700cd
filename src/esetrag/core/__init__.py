"""What everything stands on: configuration, paths, files, tables, errors, the process of a stage."""
