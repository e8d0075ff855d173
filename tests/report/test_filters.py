from pytest_xeonperf.records import Unknown
from pytest_xeonperf.report.filters import UNNAMED, Filters, branch_of, machine_names


def filters():
    return Filters.of({"machine": ["b", "a", "b"], "branch": ["main"], "workload": ["sam", "llm"]})


def test_only_a_question_with_two_answers_is_asked(make):
    assert [(each.name, [words for _token, words in each.options]) for each in filters().shown] == [
        ("machine", ["a", "b"]),
        ("workload", ["llm", "sam"]),
    ]


def test_a_thing_carries_a_token_for_each_question_that_it_answers():
    assert filters().tokens({"machine": "b", "branch": "main", "workload": "llm"}) == "m1 w0"
    assert filters().tokens({"machine": "a"}) == "m0"


def test_what_is_no_choice_meets_none():
    given = [token for each in filters().shown for token, _words in each.options]
    (token,) = filters().tokens({"workload": "tests/test_fft.py"}).split()
    assert token[0] == "w"
    assert token not in given


def test_tokens_of_different_questions_begin_with_different_letters():
    everything = Filters.of({name: ["1", "2"] for name in ("machine", "branch", "workload", "variant", "preset")})
    letters = [each.options[0][0][0] for each in everything.shown]
    assert len(set(letters)) == len(letters) == 5


def test_a_branch_that_nobody_knows_is_a_choice_of_its_own():
    assert branch_of(Unknown(reason="no git")) == UNNAMED
    assert branch_of("main") == "main"


def test_classes_of_the_same_processor_are_told_apart(make):
    runs = [make.summary(comparability_class=name) for name in ("one", "two")]
    names = machine_names([*runs, make.summary(comparability_class="three", cpu_model="another")])
    assert names["three"] == "another, amx_bf16"
    assert names["one"].endswith("(one)")
    assert names["one"] != names["two"]
