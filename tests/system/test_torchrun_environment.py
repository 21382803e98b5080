"""What torchrun's environment variables say."""

import pytest

from flowergui.facts import Job
from flowergui.system import torchrun

UUID = "0783f2bd-9692-4dd8-9a1d-731e049585ef"


@pytest.mark.parametrize(
    ("environment", "job"),
    [
        ({}, None),
        ({"TORCHELASTIC_RUN_ID": "roses"}, Job(name="roses")),
        ({"TORCHELASTIC_RUN_ID": UUID}, Job(id="0783f2bd")),
        (
            {
                "TORCHELASTIC_RUN_ID": "none",
                "TORCHELASTIC_ERROR_FILE": "/tmp/torchelastic_a/none_x1y2/attempt_1/0/error.json",
            },
            Job(id="x1y2"),
        ),
        ({"TORCHELASTIC_RUN_ID": "none"}, None),
    ],
)
def test_a_job_keeps_its_name(environment: dict[str, str], job: Job | None) -> None:
    assert torchrun.job(environment) == job


def test_a_program_alone_leads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RANK", "1")  # alone, it says nothing: a scheduler may set it
    assert torchrun.is_main_process()
    for name in ("WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT"):
        monkeypatch.setenv(name, "2")
    assert not torchrun.is_main_process()


def test_cores_are_shared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "2")
    assert torchrun.processes_on_this_machine() == 1
    for name in ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT"):
        monkeypatch.setenv(name, "2")
    assert torchrun.processes_on_this_machine() == 2
