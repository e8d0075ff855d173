"""The league: how often gates cry wolf, what they find at which price, and the same for change points.

    pip install '.[models,league]' && python tests/league reports/league

Every figure but the times comes from seeds or from the series in `tests/league/series`: the same command gives the same
tables. `--quick` is a tenth of it; `--only` makes parts anew and leaves the others in the folder as they are.
"""

import argparse
import json
import logging
import re
from pathlib import Path

from page import markdown
from parts import PARTS, league


def written(found):
    """JSON with each list on a line: lists are of places in a series here."""
    indented = json.dumps(found, indent=2, allow_nan=False)
    return re.sub(r"\[([\d\s,]*)\]", lambda places: f"[{' '.join(places[1].split())}]", indented) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="where league.md and league.json go")
    parser.add_argument("--quick", action="store_true", help="a tenth of the repetitions")
    parser.add_argument("--only", nargs="+", choices=PARTS, metavar="PART", help=f"of {', '.join(PARTS)}")
    given = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    results, page = given.folder / "league.json", given.folder / "league.md"
    known = json.loads(results.read_text(encoding="utf-8")) if given.only and results.exists() else {}
    found = league(given.only or PARTS, known, quick=given.quick)
    given.folder.mkdir(parents=True, exist_ok=True)
    results.write_text(written(found), encoding="utf-8")
    page.write_text(markdown(found), encoding="utf-8")


if __name__ == "__main__":
    main()
