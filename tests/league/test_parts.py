import pytest

OLD = {"quick": False, "repetitions": 1000, "versions": {"numpy": "1.26.0"}}


@pytest.fixture
def parts(module, monkeypatch):
    """The module with two parts that give their repetitions, and no opponents."""
    loaded = module("parts")
    measured = {name: (lambda repetitions: {"row": {"figure": repetitions}}, full) for name, full in MADE.items()}
    monkeypatch.setattr(loaded, "PARTS", measured)
    monkeypatch.setattr(loaded, "PACKAGES", ("numpy",))
    return loaded


MADE = {"first": 1000, "second": 1}


def test_a_part_that_was_not_asked_for_stays_with_what_it_was_run_with(parts):
    kept = {"row": {"figure": 0.25}}

    found = parts.league(["second"], {"first": kept, "runs": {"first": OLD}}, quick=False)

    assert found["first"] == kept
    assert found["runs"]["first"] == OLD
    assert found["second"] == {"row": {"figure": 1}}
    assert found["runs"]["second"]["versions"] != OLD["versions"]


def test_the_order_is_that_of_the_parts_whichever_was_made_last(parts):
    known = parts.league(["second"], {}, quick=False)

    found = parts.league(["first"], known, quick=False)

    assert list(found) == ["first", "second", "runs"]
    assert list(found["runs"]) == ["first", "second"]


def test_quick_is_a_tenth_but_never_nothing(parts):
    found = parts.league(["first", "second"], {}, quick=True)

    assert [found[name]["row"]["figure"] for name in MADE] == [100, 1]
    assert all(run["quick"] for run in found["runs"].values())
