"""Models to measure: one family a file, and a protocol to bring your own."""
