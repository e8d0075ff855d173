import re
from dataclasses import replace

import pytest

from pytest_xeonperf.ci.alerts import watch_all
from pytest_xeonperf.errors import InfrastructureError, UsageError
from pytest_xeonperf.records import Unknown
from pytest_xeonperf.report import links, site
from pytest_xeonperf.report.site import write_site
from pytest_xeonperf.store.engine import open_store


@pytest.fixture
def store(tmp_path, make):
    """Three runs of two cases; the second case only in the first run."""
    with open_store(str(tmp_path / "xeonperf.db")) as opened:
        for day in (1, 2, 3):
            results = [make.result()]
            if day == 1:
                case = make.case(variant="woq_int4")
                results.append(make.result(case=case, measurement=Unknown(reason="died by SIGILL")))
            opened.add_run(make.run(*results, id=f"run-{day}", started_at=f"2026-05-0{day}T14:00:00+00:00"))
        yield opened


def test_every_run_and_every_case_has_a_page_and_the_index_is_the_answer(store, tmp_path, make):
    index = write_site(store, tmp_path / "reports", run_id="run-3")
    assert index == tmp_path / "reports" / "index.html"
    names = {path.name for path in index.parent.iterdir()}
    cases = {f"case-{case.id}.html" for case in store.cases()}
    assert len(cases) == 2
    runs = {f"run-run-{day}.html" for day in (1, 2, 3)}
    others = {"index.html", "alerts.html", "machines.html", "compare.html"}
    assert names == {".gitignore", ".xeonperf-report.json", *others, *runs, *cases}


def test_every_link_leads_to_a_page_that_was_written(store, tmp_path):
    index = write_site(store, tmp_path / "reports", run_id="run-3")
    for path in index.parent.glob("*.html"):
        for target in re.findall(r'href="([^"#:]+)[#"]', path.read_text()):
            assert (index.parent / target).is_file(), (path.name, target)
        for target, anchor in re.findall(r'href="([^"#:]+)#([^"]+)"', path.read_text()):
            assert f'id="{anchor}"' in (index.parent / target).read_text(), (path.name, target, anchor)


def test_the_run_is_compared_with_the_one_before_and_its_pages_lead_there(store, tmp_path, make):
    folder = write_site(store, tmp_path / "reports", run_id="run-3").parent
    compared = (folder / "compare.html").read_text()
    assert "<code>xeonperf compare run-2 run-3</code>" in compared
    for name in ("run-run-2.html", "run-run-3.html", f"case-{make.case().id}.html", "index.html"):
        assert f'href="{name}"' in compared
    assert "<form" not in compared
    for name in ("index.html", "run-run-3.html"):
        assert 'href="compare.html"' in (folder / name).read_text()
    other = (folder / "run-run-2.html").read_text()
    assert 'href="compare.html"' not in other
    assert "xeonperf compare BASE run-2 --html compare.html" in other


def test_a_run_with_none_before_says_so_and_how_two_are_compared(store, tmp_path):
    folder = write_site(store, tmp_path / "reports", run_id="run-1").parent
    assert not (folder / "compare.html").exists()
    page = (folder / "run-run-1.html").read_text()
    assert "No earlier run on its class of machine measured any of its cases." in page
    assert "xeonperf compare BASE run-1 --html compare.html" in page


def test_a_run_beyond_the_newest_has_a_page_when_the_report_is_about_it(store, tmp_path, monkeypatch):
    monkeypatch.setattr(site, "RUN_PAGES", 1)
    folder = write_site(store, tmp_path / "reports", run_id="run-1").parent
    assert sorted(path.name for path in folder.glob("run-*")) == ["run-run-1.html", "run-run-3.html"]


def test_a_case_that_was_last_measured_in_an_old_run_keeps_its_cell(store, tmp_path, monkeypatch):
    monkeypatch.setattr(site, "RUN_PAGES", 1)
    index = write_site(store, tmp_path / "reports", run_id="run-3").read_text()
    assert "died by SIGILL" in index
    assert "measured 2026-05-01 14:00" in index


def test_a_folder_that_is_there_is_left_to_its_owner_but_for_the_pages(store, tmp_path):
    (tmp_path / "README.md").write_text("mine")
    write_site(store, tmp_path, run_id="run-3")
    assert (tmp_path / "README.md").read_text() == "mine"
    assert not (tmp_path / ".gitignore").exists()


def test_pages_are_replaced_and_no_draft_stays(store, tmp_path):
    folder = tmp_path / "reports"
    write_site(store, folder, run_id="run-3")
    before = {path.name: path.stat().st_ino for path in folder.glob("*.html")}
    (folder / ".xeonperf-report.json").unlink()
    write_site(store, folder, run_id="run-3")
    after = {path.name: path.stat().st_ino for path in folder.glob("*.html")}
    assert before.keys() == after.keys()
    assert before["index.html"] != after["index.html"]
    assert [path for path in folder.iterdir() if path.suffix == ".part"] == []


def test_a_folder_that_cannot_be_one_is_an_error_with_a_remedy(store, tmp_path):
    (tmp_path / "reports").write_text("a file")
    with pytest.raises(InfrastructureError, match="give another folder with -o"):
        write_site(store, tmp_path / "reports", run_id="run-3")


def test_a_run_that_is_not_there_is_the_stores_error(store, tmp_path):
    with pytest.raises(UsageError):
        write_site(store, tmp_path / "reports", run_id="nobody")
    assert not (tmp_path / "reports").exists()


def test_a_million_characters_of_any_name_do_not_make_a_page_of_a_megabyte(store, tmp_path, make):
    long = "x" * 1_000_000
    case = make.case(workload=f"w{long}", variant=f"v{long}")
    measurement = make.measurement(3.0)
    evidence = replace(measurement.evidence, kernels=(f"k{long}",), left_in_bf16=(f"l{long}",), first_break=f"b{long}")
    result = make.result(
        case=case,
        measurement=replace(measurement, case=case, evidence=evidence),
        verdict=replace(make.result().verdict, reason=f"r{long}"),
        node_id=f"n{long}",
    )
    run = make.run(result, machine=make.machine(cpu_model=f"m{long}", facts=(("kernel", f"f{long}"),)))
    commit = replace(run.commit, branch=f"b{long}", subject=f"s{long}", author=f"a{long}")
    for number in (4, 5):
        store.add_run(
            replace(
                run, id=f"run-{number}", started_at=f"2026-05-1{number}T10:00:00+00:00", command=long, commit=commit
            )
        )
    folder = write_site(store, tmp_path / "reports", run_id="run-5").parent
    sizes = {path.name: path.stat().st_size for path in folder.glob("*.html")}
    assert {"index.html", "compare.html", "machines.html", "run-run-5.html", links.case_page(case.id)} <= sizes.keys()
    assert max(sizes.values()) < 400_000, sizes


def test_alerts_have_pages_on_disk_that_take_no_decisions(store, tmp_path, make, slow_down):
    runs = slow_down(store, make.run(make.result()))
    (alert,) = watch_all(store, at="2026-09-30T10:00:00+00:00").raised
    folder = write_site(store, tmp_path / "reports", run_id=runs[-1].id).parent
    assert {path.name for path in folder.glob("alert*")} == {
        "alerts.html",
        "alerts-new.html",
        f"alert-{alert.id}.html",
    }
    assert '<a href="alerts.html">1 open alert</a>' in (folder / "index.html").read_text()
    assert f"alert-{alert.id}.html" in (folder / f"case-{alert.case.id}.html").read_text()
    page = (folder / f"alert-{alert.id}.html").read_text()
    assert "<form" not in page
    assert f"xeonperf alerts set {alert.id}" in page
    assert f'href="case-{alert.case.id}.html#class-{alert.comparability_class}"' in page
    assert "The variant moved: its baseline takes ±0.0 % time meanwhile (10 runs before, 10 since)." in page
    (compared,) = {path.name for path in folder.glob("compare-*")}
    assert f'href="{compared}#case-{alert.case.id}"' in page
    assert f"xeonperf compare {runs[15].id} {runs[16].id}<" in (folder / compared).read_text()
    for path in folder.glob("*.html"):
        for target in re.findall(r'href="([^"#:]+)[#"]', path.read_text()):
            assert (folder / target).is_file(), (path.name, target)


def test_an_alert_on_the_run_of_the_report_leads_to_its_comparison(store, tmp_path, make, slow_down):
    runs = slow_down(store, make.run(make.result()))
    (alert,) = watch_all(store, at="2026-09-30T10:00:00+00:00").raised
    folder = write_site(store, tmp_path / "reports", run_id=runs[16].id).parent
    assert f'href="compare.html#case-{alert.case.id}"' in (folder / f"alert-{alert.id}.html").read_text()
    assert f'<tr id="case-{alert.case.id}">' in (folder / "compare.html").read_text()


def test_an_alert_whose_runs_have_no_pages_says_how_they_are_compared(store, tmp_path, make, slow_down, monkeypatch):
    monkeypatch.setattr(site, "RUN_PAGES", 3)
    runs = slow_down(store, make.run(make.result()))
    (alert,) = watch_all(store, at="2026-09-30T10:00:00+00:00").raised
    folder = write_site(store, tmp_path / "reports", run_id=runs[-1].id).parent
    assert list(folder.glob("compare-*")) == []
    page = (folder / f"alert-{alert.id}.html").read_text()
    assert f"xeonperf compare {runs[15].id} {runs[16].id} --html compare.html" in page
