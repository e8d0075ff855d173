"""Documents other tools read or write: one format a file."""
