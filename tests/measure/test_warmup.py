import pytest
import torch
import torch._dynamo.utils
from torch import nn

from pytest_xeonperf.errors import InfrastructureError
from pytest_xeonperf.measure import warmup
from pytest_xeonperf.measure.warmup import warm_up
from pytest_xeonperf.records import OUTSIDE_OPERATORS, Unknown


@pytest.fixture
def scripted_clock(monkeypatch):
    """Makes calls take just these times, the profiled one too."""

    def script(*durations_ns):
        left = iter(durations_ns)
        monkeypatch.setattr(warmup, "time_call_ns", lambda step: (next(left), step()))
        return left

    return script


def _ends_after(left, durations_ns):
    return len(durations_ns) - len(list(left))


def test_warming_up_goes_on_while_calls_get_faster(scripted_clock):
    durations_ns = (1000, 500, 300, 290, 1)
    left = scripted_clock(*durations_ns)
    warm = warm_up(lambda: torch.ones(1))
    assert (warm.call_ns, warm.duration_ns) == (290, 2090)
    assert _ends_after(left, durations_ns) == 4


def test_two_calls_alike_are_enough(scripted_clock):
    durations_ns = (1000, 990, 1)
    left = scripted_clock(*durations_ns)
    warm_up(lambda: torch.ones(1))
    assert _ends_after(left, durations_ns) == 2


def test_a_last_call_that_was_much_slower_has_not_settled(scripted_clock):
    durations_ns = (1000, 2000, 1000, 1050, 1)
    left = scripted_clock(*durations_ns)
    warm_up(lambda: torch.ones(1))
    assert _ends_after(left, durations_ns) == 4


def test_a_counted_call_that_was_very_long_is_enough_alone(scripted_clock):
    durations_ns = (3 * 1_000_000_000, 1, 1)
    left = scripted_clock(*durations_ns)
    warm_up(lambda: torch.ones(1), count_flop=True)
    assert _ends_after(left, durations_ns) == 1


def test_a_counted_call_that_was_not_so_long_is_followed_by_another(scripted_clock):
    durations_ns = (1_900_000_000, 1_800_000_000, 1)
    left = scripted_clock(*durations_ns)
    warm_up(lambda: torch.ones(1), count_flop=True)
    assert _ends_after(left, durations_ns) == 2


def test_a_long_call_is_still_followed_by_one_that_sees_the_kernels(scripted_clock):
    durations_ns = (3 * 1_000_000_000, 9 * 1_000_000_000, 1)
    left = scripted_clock(*durations_ns)
    assert warm_up(lambda: torch.ones(2, 2) @ torch.ones(2, 2)).kernels
    assert _ends_after(left, durations_ns) == 2


def test_a_long_first_call_of_a_step_that_makes_no_code_is_enough_alone(scripted_clock):
    durations_ns = (3 * 1_000_000_000, 1)
    left = scripted_clock(*durations_ns)
    assert warm_up(lambda: torch.ones(2, 2) @ torch.ones(2, 2), makes_code=False).kernels
    assert _ends_after(left, durations_ns) == 1


def test_a_short_first_call_explains_nothing_even_where_no_code_is_made(scripted_clock):
    durations_ns = (1_900_000_000, 1_800_000_000, 1)
    left = scripted_clock(*durations_ns)
    calls = []

    def step():
        calls.append(torch.ones(2, 2) @ torch.ones(2, 2) if calls else torch.ones(2).cumsum(0))

    kernels = warm_up(step, makes_code=False).kernels
    assert "aten::mm" in kernels
    assert "aten::cumsum" not in kernels
    assert _ends_after(left, durations_ns) == 2


def test_a_long_call_that_compiled_is_followed_by_one_that_did_not(scripted_clock):
    durations_ns = (60 * 1_000_000_000, 3 * 1_000_000_000, 1)
    left = scripted_clock(*durations_ns)
    compiled = torch.compile(lambda x: x + 1, backend="eager")
    torch.compiler.reset()
    warm = warm_up(lambda: compiled(torch.ones(1)))
    torch.compiler.reset()
    assert (warm.compiled.graphs, warm.call_ns) == (1, 3 * 1_000_000_000)
    assert _ends_after(left, durations_ns) == 2


def test_a_step_that_gets_faster_for_ever_is_warm_after_a_dozen_calls(scripted_clock):
    durations_ns = tuple(2**exponent for exponent in range(20, 0, -1))
    left = scripted_clock(*durations_ns)
    warm_up(lambda: torch.ones(1))
    assert _ends_after(left, durations_ns) == 12


def test_the_kernels_of_one_call_are_seen():
    weight = torch.ones(64, 64)
    warm = warm_up(lambda: torch.mm(weight, weight))
    assert "aten::mm" in warm.kernels
    assert warm.flop == 0


def test_the_operators_of_one_call_add_up_to_it(scripted_clock):
    scripted_clock(10**12, 10**12, 10**12)
    weight = torch.ones(64, 64)
    operators = warm_up(lambda: torch.mm(weight, weight)).operators
    found = {each.name: each for each in operators}
    assert found["aten::mm"].calls == 1
    assert found["aten::mm"].self_ns > 0
    assert sum(each.self_ns for each in operators) == 10**12
    assert operators[-1].name == OUTSIDE_OPERATORS


def test_a_step_whose_operations_are_counted_says_why_it_has_no_operators():
    warm = warm_up(lambda: torch.ones(2), count_flop=True)
    assert (warm.kernels, warm.operators) == (
        (),
        Unknown(reason="no call of it was profiled: its operations were counted"),
    )


def test_a_step_of_another_runtime_is_warm_as_soon_as_its_times_have_settled(scripted_clock):
    durations_ns = (1000, 990, 1)
    left = scripted_clock(*durations_ns)
    warm = warm_up(lambda: 1)
    assert _ends_after(left, durations_ns) == 2
    assert (warm.kernels, warm.operators) == ((), Unknown(reason="the profiler saw no operator"))


def test_a_call_that_compiled_is_profiled_again_so_that_no_compiler_is_among_its_operators():
    sizes = iter((1, 2, 2, 2, *[2] * 20))
    compiled = torch.compile(lambda x: x + 1, backend="eager", dynamic=False)
    torch.compiler.reset()
    warm = warm_up(lambda: compiled(torch.ones(next(sizes))))
    torch.compiler.reset()
    assert warm.compiled.graphs == 2
    assert {each.name: each.calls for each in warm.operators}["aten::add"] == 1


def test_the_operations_of_one_call_are_counted():
    weight = torch.ones(8, 8)
    assert warm_up(lambda: torch.mm(weight, weight), count_flop=True).flop == 2 * 8**3


def test_the_output_is_a_copy_that_later_calls_leave_alone():
    buffer = torch.zeros(3)
    warm = warm_up(lambda: buffer.add_(1))
    kept = float(warm.output[0])
    buffer.add_(1)
    assert float(warm.output[0]) == kept


def test_an_eager_step_compiles_nothing():
    warm = warm_up(lambda: torch.ones(1))
    assert (warm.compiled.graphs, warm.compiled.graph_breaks, warm.compiled.first_break) == (0, 0, "")


def test_what_a_step_raises_is_not_swallowed():
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        warm_up(lambda: torch.ones(2, 3) @ torch.ones(2, 3))


def test_a_compiled_step_is_warm_when_its_one_graph_is_done(compiler):
    model = nn.Linear(8, 8).eval()
    example = torch.ones(2, 8)
    compiled = compiler(model)
    with torch.no_grad():
        warm = warm_up(lambda: compiled(example))
    assert warm.compiled.graphs == 1
    assert warm.compiled.graph_breaks == 0
    assert warm.call_ns < warm.duration_ns / 10


def test_a_step_that_compiles_anew_on_every_call_is_an_error():
    sizes = iter(range(1, 100))
    compiled = torch.compile(lambda x: x + 1, backend="eager", dynamic=False)
    torch.compiler.reset()
    with (
        torch._dynamo.config.patch(recompile_limit=64),
        pytest.raises(InfrastructureError, match="still compiling after 12 calls"),
    ):
        warm_up(lambda: compiled(torch.ones(next(sizes))))
    torch.compiler.reset()


def test_graph_breaks_are_counted_and_the_first_one_is_named():
    def broken(x):
        x = x + 1
        print("a builtin that Dynamo cannot trace")  # noqa: T201
        x = x + 2
        torch._dynamo.graph_break()
        return x + 3

    torch.compiler.reset()
    torch._dynamo.utils.counters.clear()
    compiled = torch.compile(broken, backend="eager")
    warm = warm_up(lambda: compiled(torch.ones(2)))
    torch.compiler.reset()
    assert (warm.compiled.graphs, warm.compiled.graph_breaks) == (3, 2)
    assert "builtin" in warm.compiled.first_break
