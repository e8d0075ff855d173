from pytest_xeonperf.report.filters import Filters
from pytest_xeonperf.report.run_list import run_rows

NEWER = (("kernel", "6.1.0"), ("torch", "2.14.0"))


def rows(*runs):
    names = {run.comparability_class: run.comparability_class for run in runs}
    filters = Filters.of({"machine": names.values(), "branch": [run.branch for run in runs]})
    return run_rows(runs, current=runs[0].id, pages=(), machines=names, filters=filters)


def test_a_change_of_the_environment_stands_with_the_first_run_that_has_it(make):
    newest, middle, oldest = rows(make.summary(id="3", facts=NEWER), make.summary(id="2", facts=NEWER), make.summary())
    assert (newest.environment, oldest.environment) == ((), ())
    assert [(change.name, change.before, change.after) for change in middle.environment] == [
        ("torch", "2.13.0", "2.14.0")
    ]


def test_only_runs_of_one_class_are_compared(make):
    other = {"comparability_class": "another", "facts": NEWER}
    made = rows(make.summary(id="3"), make.summary(id="2", **other), make.summary(id="1"))
    assert [row.environment for row in made] == [(), (), ()]


def test_a_run_carries_what_filters_ask_for(make):
    made = rows(make.summary(id="2", branch="topic"), make.summary(id="1"))
    assert [row.tokens for row in made] == ["b1", "b0"]
