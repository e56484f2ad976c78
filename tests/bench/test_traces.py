"""Traces as snapshots: a year of racks that one and a half times what they carry is asked of."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from bench import traces
from bench.traces import Job
from solver import snapshot as snapshots

DAY = 86_400
COLUMNS = "request_id,tenant,gpus,submitted_at_s,start_s,duration_s,kind,priority"
LINES = [
    f"long,ann,8,0,0,{365 * DAY},,",
    f"late,bob,16,{DAY},{2 * DAY},{10 * DAY},pretrain,",
    f"soon,ann,1,{DAY // 2},{DAY // 2},{DAY // 2},,queue3",
    f"short,cid,8,{5 * DAY},{5 * DAY},{DAY // 2 - 1},,",
]


def job(gpus: int = 8, submitted_day: float = 0.0, days: float = 1.0) -> Job:
    return Job("j", "t", gpus, submitted_day * DAY, days * DAY)


def a_year_of(*jobs: Job) -> list[Job]:
    """With one job that lasts from the first day to the last, so that a day of the trace is a day of the year."""
    return [job(days=365.0), *jobs]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """One trace plain, the same gzipped with a column more, and figures that are no trace."""
    (tmp_path / "plain.csv").write_text("\n".join([COLUMNS, *LINES]))
    wider = "\n".join([f"{COLUMNS},used_s", *(f"{line},1" for line in LINES)])
    (tmp_path / "packed.csv.gz").write_bytes(gzip.compress(wider.encode()))
    (tmp_path / "stats.csv").write_text("file,rows\nplain.csv,4\n")
    return tmp_path


def test_figures_about_traces_are_no_trace(folder: Path) -> None:
    assert [path.name for path in traces.trace_files(folder)] == ["packed.csv.gz", "plain.csv"]


@pytest.mark.parametrize("name", ["plain.csv", "packed.csv.gz"])
def test_jobs_are_read_in_order_of_submission(folder: Path, name: str) -> None:
    assert [each.id for each in traces.read(folder / name)] == ["long", "soon", "late", "short"]


@pytest.mark.parametrize(
    ("traced", "gpus"), [(1, 12), (2, 20), (4, 36), (7, 64), (8, 72), (9, 144), (16, 144), (1120, 10_080)]
)
def test_a_gpu_counts_nine_times_rounded_up_to_trays_or_racks(traced: int, gpus: int) -> None:
    assert traces.blocks(a_year_of(job(gpus=traced)))[1].gpus == gpus


def test_jobs_under_half_a_day_are_left_out() -> None:
    kept = traces.blocks(a_year_of(job(days=0.49), job(days=0.5), job(days=1.2)))

    assert [block.days for block in kept] == [365, 1, 2]


def test_the_span_of_a_trace_becomes_a_year() -> None:
    """Here 73 days, from the first submission to the last end: every day becomes five."""
    kept = traces.blocks([job(submitted_day=7, days=73), job(submitted_day=17, days=2)])

    assert [(block.start, block.days) for block in kept] == [(0, 365), (50, 10)]


def test_a_job_that_rounding_would_carry_past_the_year_starts_earlier() -> None:
    kept = traces.blocks(a_year_of(job(submitted_day=363.9, days=1.1)))

    assert (kept[1].start, kept[1].days) == (363, 2)


def test_the_demand_is_one_and_a_half_times_what_the_racks_carry() -> None:
    """Nine racks all year need six; one GPU more than nine racks' worth needs a seventh."""
    content = traces.snapshot([job(gpus=72, days=365)], seed=0)

    assert [len(pod["racks"]) for hall in content["sites"][0]["halls"] for pod in hall["pods"]] == [6]


def test_racks_come_in_pods_of_eight_and_halls_of_eight_pods() -> None:
    content = traces.snapshot([job(gpus=8 * 100, days=365)], seed=0)  # 67 racks

    halls = content["sites"][0]["halls"]
    assert [[len(pod["racks"]) for pod in hall["pods"]] for hall in halls] == [[8] * 8, [3]]


def test_the_seed_decides_prices_and_windows() -> None:
    jobs = a_year_of(*(job(submitted_day=day) for day in range(50)))

    assert traces.snapshot(jobs, seed=1) == traces.snapshot(jobs, seed=1)
    assert traces.snapshot(jobs, seed=1) != traces.snapshot(jobs, seed=2)


def test_blocks_start_up_to_a_week_late() -> None:
    jobs = a_year_of(*(job(submitted_day=day) for day in range(200)))

    requests = traces.snapshot(jobs, seed=0)["requests"][1:]

    delays = {(day_of(each["latest_start"]) - day_of(each["earliest_start"])) for each in requests}
    assert delays == set(range(8))


def day_of(text: str) -> int:
    return snapshots.dt.date.fromisoformat(text).toordinal()


def test_every_trace_of_a_folder_becomes_a_snapshot_without_a_fault(
    folder: Path, tmp_path_factory: pytest.TempPathFactory, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path_factory.mktemp("out")

    assert traces.main([str(folder), "-o", str(out)]) == 0

    plain, packed = snapshots.load(str(out / "plain.json.gz")), snapshots.load(str(out / "packed.json.gz"))
    assert [request.id for request in plain.snapshot.requests] == ["long", "soon", "late"]
    assert plain.sha256 == packed.sha256
    assert "plain.json.gz: 3 requests, 1 racks" in capsys.readouterr().out
