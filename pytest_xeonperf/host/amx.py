"""Decides what to do about AMX, from what was tried: pure, so that every machine can be played through in a test."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from pytest_xeonperf.errors import NotApplicableError
from pytest_xeonperf.records import Amx, Isa, Remedy

if TYPE_CHECKING:
    from pytest_xeonperf.host.probe import Probe


class AmxMode(StrEnum):
    """What the user asks for with ``--xeonperf-amx``.

    ``auto``: nothing if AMX works as it is, else the repair, else the cap.
    ``repair``: the palette repair, or nothing if there is nothing to repair; an error where it cannot work.
    ``cap``: keeps oneDNN from AMX; Inductor's own micro-kernels may still use it.
    ``off``: keeps oneDNN from AMX, and says that Inductor's micro-kernels shall not use it either.
    """

    AUTO = "auto"
    REPAIR = "repair"
    CAP = "cap"
    OFF = "off"


def decide(mode: AmxMode, probe: Probe) -> Amx:
    """The three facts about AMX under the remedy that this mode leads to.

    Raises:
        NotApplicableError: The mode was asked for by name and cannot work here.
    """
    if probe.advertised is not Isa.AMX_BF16:
        if mode is AmxMode.REPAIR:
            raise _impossible(mode, "this processor does not advertise AMX")
        return _amx(probe, Remedy.NONE, "AMX is not advertised")
    if mode in {AmxMode.CAP, AmxMode.OFF}:
        return _capped(mode, probe)
    if probe.plain.used_amx:
        return _amx(probe, Remedy.NONE, "oneDNN's AMX kernels work as they are")
    if probe.repaired.used_amx:
        return _amx(probe, Remedy.REPAIR, f"oneDNN without help: {_ending(probe)}; with the palette repair it works")
    refused = f"repair: {probe.repaired.detail or 'no AMX kernel was chosen'}"
    if mode is AmxMode.REPAIR:
        raise _impossible(mode, refused)
    if probe.plain.worked:
        return _amx(probe, Remedy.NONE, "oneDNN chooses no AMX kernels here, by itself")
    return _amx(probe, Remedy.CAP, f"oneDNN without help: {_ending(probe)}; {refused}; AMX is kept from oneDNN")


def usable_isa(probe: Probe, amx: Amx) -> Isa:
    """The strongest instruction set that works under the chosen remedy: what a marker's ``isa=`` is compared with.

    AVX512_BF16 counts where BF16 is multiplied no more slowly than FP32: a promise or a recipe for it means that.
    """
    if amx.usable_by_onednn:
        return Isa.AMX_BF16
    if probe.advertised.rank < Isa.AVX512_BF16.rank:
        return probe.advertised
    relevant = probe.capped if amx.remedy is Remedy.CAP else probe.plain
    return Isa.AVX512_BF16 if relevant.gains_by_bf16 else Isa.AVX512


def _capped(mode: AmxMode, probe: Probe) -> Amx:
    if not probe.capped.worked and probe.plain.worked:
        raise _impossible(mode, f"BF16 under the cap: {probe.capped.detail}")
    if mode is AmxMode.CAP:
        return _amx(probe, Remedy.CAP, "AMX is kept from oneDNN, as asked")
    return Amx(
        advertised=True,
        usable_by_onednn=False,
        usable_by_inductor=False,
        remedy=Remedy.CAP,
        detail="AMX is not to be used, as asked",
    )


def _amx(probe: Probe, remedy: Remedy, detail: str) -> Amx:
    works = {Remedy.NONE: probe.plain, Remedy.REPAIR: probe.repaired, Remedy.CAP: probe.capped}[remedy].used_amx
    return Amx(
        advertised=probe.advertised is Isa.AMX_BF16,
        usable_by_onednn=works,
        usable_by_inductor=probe.inductor.worked,
        remedy=remedy,
        detail=detail,
    )


def _ending(probe: Probe) -> str:
    return f"{probe.plain.finish} ({probe.plain.detail})" if probe.plain.detail else str(probe.plain.finish)


def _impossible(mode: AmxMode, why: str) -> NotApplicableError:
    return NotApplicableError(
        f"--xeonperf-amx={mode} cannot work: {why}",
        remedy="use --xeonperf-amx=auto; `xeonperf doctor --amx auto` shows each trial",
    )
