import pytest

from pytest_xeonperf.exchange.addresses import is_web_address


@pytest.mark.parametrize("text", ["https://perf.example", "http://[::1]:8765/", "https://h/path?query"])
def test_http_and_https_of_a_host_are_addresses(text):
    assert is_web_address(text)


@pytest.mark.parametrize(
    "text",
    ["", "perf.example", "ftp://h", "javascript:alert(1)", "https://", "https://h:0", "https://h:99999", "http://["],
)
def test_what_leads_nowhere_is_none(text):
    assert not is_web_address(text)
