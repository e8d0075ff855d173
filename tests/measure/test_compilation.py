import gc
import logging
import sys
import weakref

import pytest
import torch
import torch._dynamo.utils
from torch._inductor.codecache import PyCodeCache

from pytest_xeonperf.measure.compilation import compilation_so_far, room_to_compile
from pytest_xeonperf.variants.compiled import compiler


@pytest.fixture(autouse=True)
def _fresh_dynamo():
    torch.compiler.reset()
    torch._dynamo.utils.counters.clear()
    yield
    torch.compiler.reset()


def _printing():
    def call(x):
        print("a builtin that Dynamo cannot trace")  # noqa: T201
        return x + 1

    return torch.compile(call, backend="eager")


def _asking_for_a_break():
    def call(x):
        torch._dynamo.graph_break()
        return x + 1

    return torch.compile(call, backend="eager")


def test_a_compilation_counts_and_a_second_call_does_not():
    compiled = torch.compile(lambda x: x * 3, backend="eager")
    before = compilation_so_far()
    compiled(torch.ones(2))
    after = compilation_so_far()
    compiled(torch.ones(2))
    assert after.since(before).graphs == 1
    assert compilation_so_far().since(after).graphs == 0


def test_a_recompilation_counts():
    compiled = torch.compile(lambda x: x * 3, backend="eager", dynamic=False)
    compiled(torch.ones(2))
    before = compilation_so_far()
    compiled(torch.ones(3))
    assert compilation_so_far().since(before).graphs == 1


def test_breaks_are_those_since_the_earlier_count():
    _printing()(torch.ones(2))
    before = compilation_so_far()
    _asking_for_a_break()(torch.ones(2))
    since = compilation_so_far().since(before)
    assert since.graph_breaks == 1
    assert "graph_break()" in since.first_break


def test_a_reason_that_comes_again_is_named_again():
    def another(x):
        print("the same reason elsewhere")  # noqa: T201
        return x + 2

    _printing()(torch.ones(2))
    _asking_for_a_break()(torch.ones(2))
    before = compilation_so_far()
    torch.compile(another, backend="eager")(torch.ones(2))
    since = compilation_so_far().since(before)
    assert (since.graph_breaks, "builtin" in since.first_break) == (1, True)


def test_where_nothing_happened_nothing_is_told():
    _printing()(torch.ones(2))
    now = compilation_so_far()
    assert (now.graph_breaks, now.since(now).graph_breaks, now.since(now).first_break) == (1, 0, "")


def test_a_dozen_variants_of_one_function_are_all_compiled():
    def forward(x):
        return x + 1

    with room_to_compile():
        before = compilation_so_far()
        for size in range(2, 14):
            torch.compile(forward, backend="eager", dynamic=False)(torch.ones(size))
        assert compilation_so_far().since(before).graphs == 12


def test_reaching_dynamo_s_limit_is_an_error_and_not_silence():
    def forward(x):
        return x + 1

    with room_to_compile(), torch._dynamo.config.patch(recompile_limit=2):
        call = torch.compile(forward, backend="eager", dynamic=False)
        call(torch.ones(2))
        call(torch.ones(3))
        with pytest.raises(torch._dynamo.exc.FailOnRecompileLimitHit):
            call(torch.ones(4))


def test_the_limits_and_the_logs_are_as_they_were_afterwards():
    limit, propagates = torch._dynamo.config.recompile_limit, logging.getLogger("torch.__trace").propagate
    with room_to_compile():
        assert torch._dynamo.config.recompile_limit > limit
    assert torch._dynamo.config.recompile_limit == limit
    assert logging.getLogger("torch.__trace").propagate is propagates


def test_torch_makes_no_records_of_its_traces_for_what_pytest_captures(caplog):
    logger = logging.getLogger("torch.__trace")
    logger.addHandler(caplog.handler)  # as pytest does where a logger does not propagate
    try:
        with room_to_compile():
            torch.compile(lambda x: x + 1, backend="eager")(torch.ones(2))
        assert caplog.handler in logger.handlers
        assert not [record for record in caplog.records if record.name == logger.name]
    finally:
        logger.removeHandler(caplog.handler)


def test_the_packed_weights_of_frozen_code_are_gone_afterwards_and_what_was_compiled_before_stays():
    """Inductor keeps the code, and the code its constants: gigabytes for each ladder with a frozen variant."""
    before = compiler()(lambda x: x * 3 + 1)
    before(torch.ones(4))
    earlier = list(PyCodeCache.modules)
    with room_to_compile(), torch.no_grad():
        module = torch.nn.Linear(64, 64, dtype=torch.bfloat16).eval().requires_grad_(requires_grad=False)
        frozen = compiler(freeze=True)(module)
        frozen(torch.ones(8, 64, dtype=torch.bfloat16))
        made = [each for each in PyCodeCache.modules if each not in earlier]
        constants = [weakref.ref(value) for each in made for value in vars(each).values() if torch.is_tensor(value)]
        names = {each.__name__ for each in made}
        assert constants
        del module, frozen, made
    gc.collect()
    assert [ref() for ref in constants if ref() is not None] == []
    assert not names & sys.modules.keys()
    assert PyCodeCache.modules == earlier
    assert before(torch.ones(4)).tolist() == [4.0] * 4
