"""What a cell can show in the place of its speed-up."""

from pytest_xeonperf.records import Score, Unknown
from pytest_xeonperf.report.figures import Shown, figures


def test_latency_limit_and_fidelity_stand_with_what_belongs_to_them(make):
    scores = (Score(name="cosine", value=0.9997), Score(name="argmax", value=1.0))
    made = figures(make.point(), make.measurement(fidelity=scores))
    assert [(each.shown, each.value, each.note) for each in made] == [
        (Shown.LATENCY, "405 ms", ""),
        (Shown.LIMIT, "71 %", "of GEMM peak"),
        (Shown.FIDELITY, "0.9997", "cosine, argmax 1"),
    ]


def test_what_is_not_there_says_why(make):
    crashed = make.gap(1, "died by SIGILL")
    assert [each.value for each in figures(crashed, Unknown(reason="died by SIGILL"))] == [
        Unknown(reason="died by SIGILL")
    ] * 3
    unknown = make.measurement(roofline=Unknown(reason="no limits"), fidelity=())
    _latency, limit, fidelity = figures(make.point(), unknown)
    assert (limit.value, fidelity.value) == (Unknown(reason="no limits"), Unknown(reason="not measured"))
