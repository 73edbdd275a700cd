"""What a project is made of: parameters, paths, files written whole, and the process of a stage."""
