"""The `xeonperf` command: one subcommand a file."""
