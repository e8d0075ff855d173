import pytest

from pytest_xeonperf.host.system import name_hypervisor, parse_choice, parse_throttled_ns, read_system

GUEST = frozenset({"hypervisor"})


@pytest.mark.parametrize(
    ("text", "chosen"), [("always [madvise] never\n", "madvise"), ("performance\n", "performance"), ("", "")]
)
def test_the_chosen_word_is_found(text, chosen):
    assert parse_choice(text) == chosen


@pytest.mark.parametrize(
    ("flags", "kernel", "vendor", "product", "name"),
    [
        (frozenset(), "6.8.0", "Dell Inc.", "PowerEdge", ""),
        (GUEST, "6.8.0", "QEMU", "Standard PC", "QEMU/KVM"),
        (GUEST, "6.8.0-aws", "Amazon EC2", "m7i.large", "AWS Nitro"),
        (frozenset(), "6.8.0-aws", "Amazon EC2", "m7i.metal-24xl", ""),
        (GUEST, "6.18.44-fc-v657", "", "", "Firecracker"),
        (GUEST, "6.8.0", "", "", "unknown hypervisor"),
    ],
)
def test_the_hypervisor_is_named(flags, kernel, vendor, product, name):
    assert name_hypervisor(flags, kernel, vendor, product) == name


@pytest.mark.parametrize(
    ("text", "throttled_ns"),
    [("usage_usec 5\nthrottled_usec 7\n", 7000), ("nr_periods 3\nthrottled_time 9\n", 9), ("", 0)],
)
def test_throttled_time_of_both_cgroup_versions_is_nanoseconds(text, throttled_ns):
    assert parse_throttled_ns(text) == throttled_ns


def test_what_is_free_here_is_part_of_what_there_is():
    system = read_system(frozenset())
    assert 0 < system.available_bytes <= system.memory_bytes
    assert system.kernel
