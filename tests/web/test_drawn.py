"""What stands on the canvas of a chart, found by leaving it out: the pixels that change say where it was."""

import pytest

CHANGED = """async (before) => {
    const [plot, over] = [document.querySelector(".chart canvas"), document.querySelector(".chart .u-over")];
    const pixels = async (url) => {
        const picture = Object.assign(new Image(), { src: url });
        await picture.decode();
        const context = Object.assign(document.createElement("canvas"), { width: plot.width, height: plot.height })
            .getContext("2d");
        context.drawImage(picture, 0, 0);
        return context.getImageData(0, 0, plot.width, plot.height).data;
    };
    const [one, other] = [await pixels(before), await pixels(plot.toDataURL())];
    const box = { left: Infinity, top: Infinity, right: -Infinity, bottom: -Infinity };
    for (let at = 0; at < one.length; at += 4) {
        if ([0, 1, 2, 3].every((part) => one[at + part] === other[at + part])) continue;
        const [x, y] = [(at / 4) % plot.width, Math.floor(at / 4 / plot.width)]
            .map((place, axis) => place / devicePixelRatio - [over.offsetLeft, over.offsetTop][axis]);
        const [across, down] = [x / over.clientWidth, y / over.clientHeight];
        Object.assign(box, { left: Math.min(box.left, across), right: Math.max(box.right, across),
            top: Math.min(box.top, down), bottom: Math.max(box.bottom, down) });
    }
    return Number.isFinite(box.left) ? [box.left, box.top, box.right, box.bottom] : null;
}"""


def left_out(chart, change):
    """Where the topmost plot is another one after a change of its data or its pen, in shares of it."""
    before = chart.pictures()[0]
    chart.page.evaluate(change, chart.box.get_attribute("data-chart"))
    chart.press("d", "d")  # drawn again
    return chart.page.evaluate(CHANGED, before)


def height(chart, speedup):
    """Where a speed-up lies, in shares of the plot from its top."""
    low, high = chart.data["speedup"]["span"]
    return (high - speedup) / (high - low)


@pytest.fixture
def chart(chart):
    """Without the cursor, drawn twice: what its pixels are then does not depend on what was done before."""
    chart.press("d", "d")
    return chart


def without_line(line):
    return f"(name) => {{ xeonperfTrend.unpacked(name).speedup.lines[{line}].fill(null); }}"


def test_drawing_again_changes_nothing(chart):
    assert left_out(chart, "() => {}") is None


def test_the_floor_is_a_line_from_the_first_run_to_the_last(chart):
    left, top, right, bottom = left_out(chart, without_line(3))
    assert left == pytest.approx(chart.share(0), abs=0.02)
    assert right == pytest.approx(chart.share(11), abs=0.04)  # its dashes may end before
    assert (top, bottom) == pytest.approx((height(chart, 2.91),) * 2, abs=0.015)


def test_the_band_reaches_from_the_low_end_of_the_interval_to_the_high_one(chart):
    left, top, right, bottom = left_out(chart, without_line(1))
    assert (left, right) == pytest.approx((chart.share(0), chart.share(11)), abs=0.01)
    assert top == pytest.approx(height(chart, 4.11 + 0.05), abs=0.015)
    assert bottom == pytest.approx(height(chart, 4.0 - 0.05), abs=0.015)


def test_a_run_without_a_measurement_has_a_cross_at_the_foot_and_no_line_over_it(chart):
    skip = """() => {
        const draw = CanvasRenderingContext2D.prototype.fillText;
        CanvasRenderingContext2D.prototype.fillText = function (text, ...at) {
            if (text !== "\\u00d7") draw.call(this, text, ...at);
        };
    }"""
    left, top, right, bottom = left_out(chart, skip)
    assert (left + right) / 2 == pytest.approx(chart.share(4), abs=0.01)
    assert right - left < 0.02
    assert 0.85 < top < bottom < 1
    bridged = """(name) => {
        const data = xeonperfTrend.unpacked(name);
        for (const line of data.speedup.lines.slice(0, 3)) line[4] = (line[3] + line[5]) / 2;
    }"""
    left, _top, right, _bottom = left_out(chart, bridged)
    assert (left, right) == pytest.approx((chart.share(3), chart.share(5)), abs=0.02)
