"""The facts that travel from one step to the next: frozen, slotted, keyword-only, deciding nothing.

Times are integers of nanoseconds, sizes integers of bytes, timestamps UTC ISO-8601 text. A value that is not there is
an `Unknown` that says why; `None` never carries meaning. ``speedup = baseline / candidate``: above 1 is faster.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, fields
from enum import StrEnum
from functools import lru_cache

UNBOUNDED_RATIO = 1e9
"""Upper end of an interval that nothing bounds: finite, so that it can be stored and printed as JSON."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """A value that is not there, and why."""

    reason: str


NOT_RECORDED = Unknown(reason="not recorded")
"""What was measured before anybody kept it."""


class Isa(StrEnum):
    """Instruction sets a floor can be given for, weakest first; each includes the ones before it."""

    GENERIC = "generic"
    AVX2 = "avx2"
    AVX512 = "avx512"
    AVX512_BF16 = "avx512_bf16"
    AMX_BF16 = "amx_bf16"

    @property
    def rank(self) -> int:
        """Position in the order of capability."""
        return list(Isa).index(self)


class Remedy(StrEnum):
    """What was done so that oneDNN's AMX code runs (or is kept from running) on this machine."""

    NONE = "none"
    REPAIR = "repair"
    CAP = "cap"


@dataclass(frozen=True, slots=True, kw_only=True)
class Amx:
    """Three separate facts about AMX, and what was done about them."""

    advertised: bool
    usable_by_onednn: bool
    usable_by_inductor: bool
    remedy: Remedy
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What this machine can do at best, measured in the same session with the same threads.

    Attributes:
        read_bytes_per_s: Streamed read bandwidth.
        fp32_flop_per_s: GEMM peak in FP32.
        bf16_flop_per_s: GEMM peak in BF16.
        int8_op_per_s: GEMM peak in INT8.
    """

    read_bytes_per_s: float
    fp32_flop_per_s: float
    bf16_flop_per_s: float
    int8_op_per_s: float

    @property
    def bf16_is_slower(self) -> bool:
        """Whether BF16 is multiplied more slowly than FP32, as by Intel's processors whose AMX is not to be had."""
        return self.bf16_flop_per_s < self.fp32_flop_per_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """The fingerprint: what a result was measured on.

    Attributes:
        isa: The instruction set that is *usable*, not the one advertised.
        threads: Threads the measurement used.
        physical_cores: Physical cores in this process's cpuset.
        facts: Everything else that is worth showing where it changed: (name, value) pairs, sorted by name
            (``torch``, ``onednn``, ``kernel``, ``microcode``, ``governor``, ``env.OMP_NUM_THREADS``, ...).
    """

    architecture: str
    cpu_model: str
    isa: Isa
    amx: Amx
    threads: int
    physical_cores: int
    memory_bytes: int
    facts: tuple[tuple[str, str], ...]
    limits: Limits | Unknown

    @property
    def comparability_class(self) -> str:
        """Hash of what may not differ for two results to be compared; twelve hexadecimal digits."""
        return _digest(self.architecture, self.cpu_model, self.isa, self.amx.remedy, self.threads)

    @property
    def fingerprint(self) -> str:
        """Hash of every fact but the measured limits; twelve hexadecimal digits."""
        return _digest(self.comparability_class, self.physical_cores, self.memory_bytes, *map(list, self.facts))


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """The code that was measured. `committed_at` is UTC ISO-8601; `author` is a name, and never an address."""

    sha: str
    branch: str
    dirty: bool
    committed_at: str
    subject: str
    author: str | Unknown = NOT_RECORDED


class Metric(StrEnum):
    """What a case compares."""

    LATENCY = "latency"


OVER_NOTHING = "nothing"
"""`Case.over` of what is timed alone, with nothing to compare it with."""

UNGROUPED = "benchmark"
"""`Case.variant` of what is timed alone and belongs to no group."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One rung of one ladder, or a callable that is timed alone: the identity of a series in the history."""

    workload: str
    phase: str
    preset: str
    variant: str
    metric: Metric
    over: str

    @property
    def id(self) -> str:
        """Content hash; the same case has the same id in every database. Twelve hexadecimal digits."""
        return _case_id(*(getattr(self, field.name) for field in fields(self)))

    @property
    def alone(self) -> bool:
        """Whether it is timed with nothing to compare it with: it has a latency and no speed-up."""
        return self.over == OVER_NOTHING

    @property
    def group(self) -> str:
        """The group of what is timed alone, which stands as its variant; empty if it belongs to none."""
        return self.variant if self.alone and self.variant != UNGROUPED else ""

    @property
    def label(self) -> str:
        """For people: ``sam-vit-b/encode compiled_bf16 over eager_fp32 [quick]``, ``a.py::test_b, timed alone``."""
        if self.alone:
            return f"{self.workload}, timed alone"
        return f"{self.workload}/{self.phase} {self.variant} over {self.over} [{self.preset}]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One pair: baseline and candidate from the same round, for one call each.

    Attributes:
        process: Who measured it, from 0: the session's measuring child, then fresh processes one after another.
        round_index: Which round of the ladder in that process, from 0; voided rounds leave gaps.
        baseline_position: Place of the baseline in the random order of its round, from 0.
        candidate_position: Place of the candidate in it.
    """

    process: int
    round_index: int
    baseline_ns: int
    candidate_ns: int
    baseline_position: int
    candidate_position: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A ratio with an interval that holds at the time the measurement stopped.

    Attributes:
        low_ratio: 0 where so few pairs bound nothing.
        high_ratio: `UNBOUNDED_RATIO` where so few pairs bound nothing.
        confidence: Of the interval, both ends together.
    """

    ratio: float
    low_ratio: float
    high_ratio: float
    confidence: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """One figure of fidelity against the FP32 eager reference on the same inputs, such as ``cosine`` = 0.9997."""

    name: str
    value: float


class Bound(StrEnum):
    """Which limit of the machine binds a case."""

    BANDWIDTH = "bandwidth"
    COMPUTE = "compute"


@dataclass(frozen=True, slots=True, kw_only=True)
class Roofline:
    """Share of the binding limit that was reached: 1.0 is the measured limit of this machine in this session.

    Attributes:
        flop: Operations of one call.
        weight_bytes: That one call streams: those of a model that is passed eight times, eight times.
    """

    fraction: float
    bound: Bound
    flop: int
    weight_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Contention:
    """What else used the cores while the rounds ran, as the kernel counts it.

    Attributes:
        elapsed_ns: From the first round to the end of the last, voided ones included.
        cores: CPUs that the process might use; times on them are summed.
        stolen_ns: For which the hypervisor ran something else although there was work.
        others_ns: Of other processes.
        throttled_ns: For which the quota of a cgroup stopped the process.
    """

    elapsed_ns: int
    cores: int
    stolen_ns: int
    others_ns: int
    throttled_ns: int

    def share(self, spent_ns: int) -> float:
        """Of all the time that the cores had."""
        return spent_ns / (self.elapsed_ns * self.cores) if self.elapsed_ns else 0.0


OTHER_OPERATORS = "(all other operators)"
OUTSIDE_OPERATORS = "(outside of operators)"
"""Names of what is no operator: the rest of them together, and what was spent in none, most of it in Python."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operator:
    """One operator of a call that was profiled, all of its calls together.

    The profiler makes a call slower, so times are only compared as shares of all the operators of that call, which add
    up to the call: `OTHER_OPERATORS` and `OUTSIDE_OPERATORS` are among them.

    Attributes:
        name: The same in every run: without the numbers that compilation gives.
        self_ns: Spent in it and in nothing that it called, as the profiler saw it.
        calls: In one call of the step; 0 for what was spent outside of operators.
    """

    name: str
    self_ns: int
    calls: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What stands beside a number so that it can be believed.

    Attributes:
        compile_ns: Time spent until warm-up had settled, compilation included.
        graph_breaks: Graph breaks seen while compiling; 0 for eager variants.
        first_break: Reason of the first graph break, empty if none.
        recompiles: Compilations after the first call returned.
        kernels: Names of the operators the profiler saw, those that took most time first; then those of oneDNN's own
            log with their instruction set, such as ``onednn::matmul:brg_matmul:avx10_1_512_amx``.
        weight_bytes: Bytes of parameters and buffers of the variant.
        peak_rss_bytes: Peak resident memory of a fresh process holding only this variant.
        left_in_bf16: Linear layers and convolutions that the variant's kernel could not take, by name with the reason.
        operators: Those of the profiled call that took most time, then the rest of it.
    """

    compile_ns: int
    graph_breaks: int
    first_break: str
    recompiles: int
    kernels: tuple[str, ...]
    weight_bytes: int
    peak_rss_bytes: int | Unknown
    left_in_bf16: tuple[str, ...]
    operators: tuple[Operator, ...] | Unknown = NOT_RECORDED


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """A case, measured: raw pairs and what was made of them.

    Attributes:
        item: What one unit of work is: ``token``, ``image``, ``step``, ``call``.
        items_per_call: Units of work in one timed call; `Sample` times are for the call, medians for one item.
        voided_rounds: Rounds thrown away because the canary saw the machine disturbed.
        contention: What else used the cores, over all rounds of the ladder.
        seed: Seed of the random order of the rounds.
        disturbed_rounds: Pairs of rounds that were kept although the canary saw the machine disturbed: the time for
            others was spent.
    """

    case: Case
    item: str
    items_per_call: int
    samples: tuple[Sample, ...]
    voided_rounds: int
    contention: Contention | Unknown
    seed: int
    speedup: Estimate
    baseline_median_ns: int
    candidate_median_ns: int
    fidelity: tuple[Score, ...]
    roofline: Roofline | Unknown
    evidence: Evidence
    disturbed_rounds: int | Unknown = NOT_RECORDED


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """One callable timed alone, with nothing to compare it with: a latency, and no speed-up.

    Attributes:
        item: What one unit of work is: ``call``.
        rounds: How many rounds were timed.
        durations_ns: For one call, of each round in the order in which they ran; of very many rounds only some are
            kept, evenly spread over all.
        median_ns: Of all rounds.
    """

    item: str
    rounds: int
    durations_ns: tuple[int, ...]
    median_ns: int


TIMED_ALONE = Unknown(reason="timed alone: only its latency is known")
"""The speed-up and the baseline of a `Timing`."""


class Outcome(StrEnum):
    """Words for every outcome. Only `PASS` is green; the last three are undecided, the rest are red."""

    PASS = "PASS"  # noqa: S105 - a verdict
    REGRESSION = "REGRESSION"
    BELOW_FLOOR = "BELOW_FLOOR"
    TOO_FAST = "TOO_FAST"
    FIDELITY_FAILED = "FIDELITY_FAILED"
    WRONG_KERNEL = "WRONG_KERNEL"
    CRASHED = "CRASHED"
    INCONCLUSIVE = "INCONCLUSIVE"
    NO_BASELINE = "NO_BASELINE"
    OTHER_MACHINE = "OTHER_MACHINE"

    @property
    def undecided(self) -> bool:
        """A verdict that could not be reached: never green, never red."""
        return self in {Outcome.INCONCLUSIVE, Outcome.NO_BASELINE, Outcome.OTHER_MACHINE}

    @property
    def red(self) -> bool:
        """Something is wrong with the code under test."""
        return self is not Outcome.PASS and not self.undecided


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """One promise of a test and whether it was held: ``min_speedup``, ``3.8``, ``2.71``, False, ``amx_bf16``."""

    name: str
    required: str
    found: str
    held: bool
    isa: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What was concluded for a case, why, and which promises were looked at.

    Attributes:
        floor_ratio: The minimum speed-up that applied here, or why none did.
    """

    outcome: Outcome
    reason: str
    floor_ratio: float | Unknown
    expectations: tuple[Expectation, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What one test contributed to a run: one case with its verdict, and its measurement where there is one.

    Attributes:
        node_id: pytest's name of the test.
        location: ``path:line`` of the test, for annotations.
        measured_at: UTC ISO-8601.
    """

    node_id: str
    location: str
    case: Case
    measured_at: str
    measurement: Measurement | Timing | Unknown
    verdict: Verdict


class RunState(StrEnum):
    """How far a run got; one that was killed stays `RUNNING`."""

    RUNNING = "running"
    FINISHED = "finished"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One session on one machine at one commit.

    Attributes:
        id: UUID as text, ordered by time (UUIDv7).
        command: What the user typed, to reproduce it.
        options: Resolved settings as (name, value) pairs.
        results: In the order in which they were committed.
    """

    id: str
    state: RunState
    started_at: str
    finished_at: str | Unknown
    command: str
    options: tuple[tuple[str, str], ...]
    machine: Machine
    commit: Commit | Unknown
    results: tuple[Result, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceptance:
    """Somebody's word that what a case came to in a run is as it shall be: later runs are compared with that one.

    Attributes:
        run_id: Whose result is the new baseline, on its class of machine.
        accepted_at: UTC ISO-8601.
        accepted_by: A name, for people.
    """

    case: Case
    run_id: str
    accepted_at: str
    accepted_by: str
    reason: str


def _digest(*parts: object) -> str:
    text = json.dumps(parts, ensure_ascii=True, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


_case_id = lru_cache(maxsize=4096)(_digest)  # what asks for the id of a case asks again, for each of its results
