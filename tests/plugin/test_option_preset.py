import pytest

SUITE = """
import pytest

@pytest.mark.workload("sam-vit-b", phase="encode")
def test_follows_the_option(xeonperf, sdpa_bf16): ...

@pytest.mark.workload("sam-vit-b", phase="decode", preset="smoke")
def test_has_its_own(xeonperf, sdpa_bf16): ...
"""


@pytest.mark.parametrize("preset", ["smoke", "quick", "full"])
def test_the_preset_sizes_every_model_but_those_whose_marker_has_its_own(pytester, preset):
    pytester.makepyfile(SUITE)
    result = pytester.runpytest_inprocess("--xeonperf", "--collect-only", f"--xeonperf-preset={preset}")
    result.stdout.fnmatch_lines([f"  sam-vit-b/encode [[]{preset}[]] over*", "  sam-vit-b/decode [[]smoke[]] over*"])


def test_quick_is_the_default(pytester):
    pytester.makepyfile(SUITE)
    result = pytester.runpytest_inprocess("--xeonperf", "--collect-only")
    result.stdout.fnmatch_lines(["  sam-vit-b/encode [[]quick[]] over*"])
