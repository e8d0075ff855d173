import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_xeonperf.host.topology import Core, Topology, choose_cpus, one_per_core, parse_cpu_max, read_topology


def machine(nodes=2, cores=4, threads=2, quota=None):
    """Numbered as Linux does: all first hyper-threads, then all second ones."""
    physical = nodes * cores
    logical = [
        Core(node=core // cores, package=core // cores, core=core % cores, cpu=core + thread * physical)
        for thread in range(threads)
        for core in range(physical)
    ]
    count = float(len(logical)) if quota is None else quota
    return Topology(cores=one_per_core(logical), logical_cpus=len(logical), quota_cpus=count)


def test_hyper_threads_share_a_core_and_the_first_one_stands_for_it():
    topology = machine()
    assert [core.cpu for core in topology.cores] == list(range(8))
    assert topology.has_smt
    assert topology.physical_cores == 8


def test_a_measurement_stays_on_one_numa_node_by_default():
    topology = machine()
    assert topology.default_threads == 4
    assert choose_cpus(topology, 4) == (0, 1, 2, 3)


def test_more_threads_than_one_node_has_take_the_next_one_too():
    assert choose_cpus(machine(), 6) == (0, 1, 2, 3, 4, 5)


def test_more_threads_than_cores_are_not_pinned():
    assert choose_cpus(machine(), 9) == ()


@pytest.mark.parametrize(("quota", "cores"), [(2.0, 2), (1.5, 1), (0.5, 1), (64.0, 8)])
def test_a_quota_takes_whole_cores_away_but_never_the_last(quota, cores):
    topology = machine(quota=quota)
    assert topology.physical_cores == cores
    assert topology.default_threads == min(4, cores)


@given(st.integers(1, 4), st.integers(1, 8), st.integers(1, 2), st.integers(1, 40))
def test_chosen_cpus_are_distinct_cores(nodes, cores, threads, wanted):
    topology = machine(nodes, cores, threads)
    chosen = choose_cpus(topology, wanted)
    assert len(set(chosen)) == len(chosen) == (wanted if wanted <= nodes * cores else 0)
    assert set(chosen) <= {core.cpu for core in topology.cores}


@pytest.mark.parametrize(
    ("quota", "period", "cpus"),
    [("150000 100000\n", "", 1.5), ("max 100000\n", "", math.inf), ("-1\n", "100000\n", math.inf),
     ("200000\n", "100000\n", 2.0), ("", "", math.inf)],
)  # fmt: skip
def test_quotas_of_both_cgroup_versions_are_read(quota, period, cpus):
    assert parse_cpu_max(quota, period) == cpus


def test_this_machine_has_a_core_for_us():
    topology = read_topology()
    assert 1 <= topology.default_threads <= topology.physical_cores <= topology.logical_cpus
