"""What a cell can show in the place of its speed-up."""

from pytest_xeonperf.records import Score, Unknown
from pytest_xeonperf.report.figures import Shown, figures


def test_latency_limit_and_fidelity_stand_with_what_belongs_to_them(make):
    scores = (Score(name="cosine", value=0.9997), Score(name="argmax", value=1.0))
    made = figures(make.point(), make.measurement(fidelity=scores))
    assert [(each.shown, each.text) for each in made] == [
        (Shown.LATENCY, "405 ms"),
        (Shown.LIMIT, "71 % of GEMM peak"),
        (Shown.FIDELITY, "0.9997 cosine, 1 argmax"),
    ]


def test_what_is_not_known_is_left_out(make):
    crashed = make.gap(1, "died by SIGILL")
    assert figures(crashed, Unknown(reason="died by SIGILL")) == ()
    unknown = make.measurement(roofline=Unknown(reason="no limits"), fidelity=())
    assert [each.shown for each in figures(make.point(), unknown)] == [Shown.LATENCY]
    assert [each.shown for each in figures(make.point(), make.timing())] == [Shown.LATENCY]


def test_every_figure_has_words_of_its_own():
    assert [each.words for each in Shown] == ["speed-up", "latency", "share of the limit", "fidelity"]
