"""The pytest side: options, markers, fixtures, collection, the measuring child, terminal."""
