"""``python -m pytest_xeonperf`` is ``xeonperf``."""

from pytest_xeonperf.cli.main import main

if __name__ == "__main__":
    main()
