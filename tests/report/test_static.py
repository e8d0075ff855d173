"""What is shipped beside the templates: the vendored chart library, the style sheet, the script."""

import hashlib
import re
import tomllib
from importlib.resources import files
from pathlib import Path

import pytest

from pytest_xeonperf.report.page_case import case_page
from pytest_xeonperf.report.render import render

STATIC = files("pytest_xeonperf").joinpath("report", "static")
UPLOT = STATIC.joinpath("vendor", "uplot-1.6.32")
OWN = [path for path in [*STATIC.iterdir(), *STATIC.joinpath("trend").iterdir()] if path.is_file()]
TEXTS = ("ink", "soft", "good", "bad", "open")
GROUNDS = ("paper", "card")
LINES = ("line-strong", "floor", "candidate", "baseline", "level", "edge", "focus")


def test_the_vendored_library_is_what_npm_published():
    listed = dict(reversed(line.split("  ")) for line in UPLOT.joinpath("SHA256SUMS").read_text().splitlines())
    assert set(listed) == {"LICENSE", "uPlot.iife.min.js", "uPlot.min.css"}
    for name, digest in listed.items():
        assert hashlib.sha256(UPLOT.joinpath(name).read_bytes()).hexdigest() == digest


def test_the_licence_of_the_library_goes_with_the_package_and_with_every_page_that_has_it(make):
    notice = UPLOT.joinpath("LICENSE").read_text()
    assert "*/" not in notice
    page = case_page(make.case(), [make.point()], machines={}, pages=())
    html = render(page)
    assert html.count(f"/*! {notice}*/") == 1
    assert html.index(notice) < html.index("var uPlot=")
    root = Path(__file__).parents[2]
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    shipped = {path for pattern in project["license-files"] for path in root.glob(pattern)}
    assert shipped == {root / "LICENSE", *root.glob("pytest_xeonperf/**/LICENSE*")}
    assert project["license"] == "Apache-2.0 AND MIT"


def test_no_asset_can_end_the_element_that_it_stands_in():
    for asset in (
        *OWN,
        UPLOT.joinpath("uPlot.iife.min.js"),
        UPLOT.joinpath("uPlot.min.css"),
        UPLOT.joinpath("LICENSE"),
    ):
        text = asset.read_text()
        assert not re.search(r"</(script|style)|<!--", text, re.IGNORECASE)


def test_no_asset_names_another_host():
    for asset in OWN:
        assert not re.search(r"https?:|//[a-z]+\.|url\(|@import", asset.read_text())


def test_every_script_of_ours_is_short_and_stands_on_a_page():
    templates = STATIC.parent.joinpath("templates")
    named = "".join(template.read_text() for template in templates.iterdir())
    for script in (path for path in OWN if path.name.endswith(".js")):
        assert len(script.read_text().splitlines()) <= 250, script.name
        assert f'"{script.name.removesuffix(".js")}"' in named or script.name in named, script.name


def schemes() -> dict[str, dict[str, str]]:
    light, dark = re.findall(r":root \{(.*?)\}", STATIC.joinpath("xeonperf.css").read_text(), re.DOTALL)[:2]
    return {
        name: dict(re.findall(r"--([\w-]+): (#\w{6})\w*;", block)) for name, block in (("light", light), ("dark", dark))
    }


def luminance(colour: str) -> float:
    """Relative luminance, as WCAG 2.2 defines it."""
    channels = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_every_ground(scheme):
    colours = schemes()[scheme]
    pairs = [(text, ground) for text in TEXTS for ground in GROUNDS]
    pairs += [(text, wash) for text in ("ink", "soft") for wash in ("good-wash", "bad-wash", "open-wash")]
    pairs += [(tone, f"{tone}-wash") for tone in ("good", "bad", "open")]
    for text, ground in pairs:
        assert contrast(colours[text], colours[ground]) >= 4.5, (text, ground)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_lines_of_a_chart_stand_out_from_its_ground(scheme):
    colours = schemes()[scheme]
    for line in LINES:
        assert contrast(colours[line], colours["card"]) >= 3, line
