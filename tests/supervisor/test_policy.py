"""What a person decided beforehand, as it is in force in a whole supervisor."""

import pytest
from house import House


@pytest.mark.parametrize(("cores", "workers"), [(None, 1), (1, 1), (2, 1), (4, 2), (8, 4), (64, 4)])
def test_gates_leave_cores_to_others(
    house: House, monkeypatch: pytest.MonkeyPatch, cores: int | None, workers: int
) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: cores)
    assert house.host.circumstances().policy.workers == workers
    house.configure("workers: 7\n")
    assert house.host.circumstances().policy.workers == 7
