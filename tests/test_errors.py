import pickle

import pytest

from pytest_xeonperf import errors
from pytest_xeonperf.errors import ExitCode, XeonPerfError

KINDS = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, XeonPerfError)]


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_survives_the_pipe_between_the_session_and_its_child(kind):
    error = kind("it broke", where="here", remedy="mend it")
    found = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes
    assert type(found) is kind
    assert (found.what, found.where, found.remedy) == ("it broke", "here", "mend it")


def test_an_error_says_what_where_and_what_to_do():
    assert str(XeonPerfError("it broke", where="here", remedy="mend it")) == "here: it broke\n  what to do: mend it"


def test_what_is_not_known_is_left_out():
    assert str(XeonPerfError("it broke")) == "it broke"


@pytest.mark.parametrize(
    ("kind", "code"),
    [(errors.UsageError, 4), (errors.DataError, 4), (errors.NotApplicableError, 6), (errors.InfrastructureError, 3)],
)
def test_every_kind_has_its_exit_code(kind, code):
    assert kind("x").exit_code == code


def test_exit_codes_up_to_five_are_pytest_s_own():
    theirs = pytest.ExitCode
    expected = [theirs.OK, theirs.TESTS_FAILED, theirs.INTERRUPTED, theirs.INTERNAL_ERROR]
    expected += [theirs.USAGE_ERROR, theirs.NO_TESTS_COLLECTED]
    assert [int(code) for code in ExitCode][:6] == [int(code) for code in expected]
