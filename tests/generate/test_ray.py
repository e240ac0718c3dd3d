"""The Ray executor on a cluster of this machine, which one fixture starts."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import ray
from small_set import contents, fake, live_processes, run

from data_gen.config import ExecutorConfig
from data_gen.executors.base import open_executor
from data_gen.executors.ray_cluster import RayExecutor
from void.errors import InputError
from void.files import read_json

RAY = {"kind": "ray", "retries": 1}


@pytest.fixture(scope="module", autouse=True)
def cluster() -> Iterator[None]:
    ray.init("local", num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    yield
    ray.shutdown()


def test_a_cluster_makes_what_one_machine_makes_and_tries_lost_scenes_again(tmp_path: Path) -> None:
    behaviour = fake(crash_once=[0], killed_once=[2], rejected=[3])
    failures, _ = run(tmp_path / "ray" / "data", behaviour, executor=RAY)
    run(tmp_path / "local" / "data", behaviour, executor={"retries": 1})
    assert [(failure.id, failure.rejected) for failure in failures] == [("rigid-000003", {"no_contact": 60})]
    assert contents(tmp_path / "ray" / "data") == contents(tmp_path / "local" / "data")
    assert read_json(tmp_path / "ray" / "data" / "summary.json")["seconds_per_pair"]["render"] == 2.0


def test_a_failure_on_a_node_comes_with_its_log(tmp_path: Path) -> None:
    root = tmp_path / "data"
    failures, _ = run(root, fake(crash=[0]), count=1, executor=RAY | {"failure_budget": 1.0})
    assert failures[0].reason == "exit status 1: RuntimeError: the mesh is not watertight (tried 2 times)"
    assert "Traceback" in (root / "logs" / "rigid-000000.log").read_text()


def test_the_time_of_a_scene_ends_on_its_node(tmp_path: Path) -> None:
    executor = {"kind": "ray", "timeout": 1, "failure_budget": 1.0}
    failures, _ = run(tmp_path / "data", fake(hang=[0]), count=1, executor=executor)
    assert failures[0].reason == "timed out after 1 s"


def test_a_node_that_does_not_see_the_folder_says_so(tmp_path: Path) -> None:
    config = ExecutorConfig(kind="ray")
    with open_executor(config, fake(), folders=[tmp_path]) as executor:
        assert isinstance(executor, RayExecutor)
        (witness,) = tmp_path.iterdir()
        witness.unlink()
        error = executor.submit({}).result(60).error
    assert isinstance(error, InputError)
    assert f"does not see {tmp_path}" in error.problem and "all nodes share" in error.remedy
    assert list(tmp_path.iterdir()) == []


def test_what_still_runs_ends_with_the_command(tmp_path: Path) -> None:
    marker = str(tmp_path)
    with pytest.raises(InputError, match="no space left"):
        run(tmp_path / "data", fake(disk_full=[0], hang=[1, 2, 3, 4], marker=[marker]), executor=RAY)
    deadline = time.monotonic() + 60
    while live_processes(marker):
        assert time.monotonic() < deadline, "a worker outlived the command"
        time.sleep(0.05)


def test_a_lost_task_is_a_lost_scene(tmp_path: Path) -> None:
    """As when a node goes away, or its memory runs out and Ray kills the task itself."""

    def end_of_the_task(request: Path) -> list[str]:
        os._exit(1)

    with open_executor(ExecutorConfig(kind="ray"), end_of_the_task, folders=[tmp_path]) as executor:
        answer = executor.submit({}).result(60)
    assert answer.value is None and answer.failure.startswith("lost on the cluster: WorkerCrashedError")


def test_the_slots_follow_the_cluster(tmp_path: Path) -> None:
    with open_executor(ExecutorConfig(kind="ray", cpus=0.5), fake(), folders=[tmp_path]) as executor:
        assert executor.slots == 8


def test_scenes_that_need_more_than_the_machine_has_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"executor\.cpus = 3, but this machine has 2 CPUs"):
        run(tmp_path / "data", executor=RAY | {"cpus": 3.0})


def test_a_cluster_of_this_machine_listens_to_this_machine_alone(tmp_path: Path) -> None:
    """In a process of its own: Ray decides it when it is imported."""
    script = """
import ipaddress, psutil
from pathlib import Path
from data_gen.config import ExecutorConfig
from data_gen.executors.ray_cluster import RayExecutor
executor = RayExecutor(ExecutorConfig(kind="ray", address="local"), list, [])
processes = [psutil.Process(), *psutil.Process().children(recursive=True)]
connections = [c for process in processes for c in process.net_connections("tcp") if c.status == "LISTEN"]
for ip in {connection.laddr.ip for connection in connections}:
    address = ipaddress.ip_address(ip)
    print(len(connections), (getattr(address, "ipv4_mapped", None) or address).is_loopback)
executor.close()
"""
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    lines = told.stdout.split("\n")[:-1]
    assert lines and all(int(line.split()[0]) >= 3 and line.endswith("True") for line in lines), told.stdout


def test_no_cluster_at_the_address_is_refused_at_once(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    ray.shutdown()
    with pytest.raises(InputError, match=f"127.0.0.1:{port}: no Ray cluster answers") as caught:
        run(tmp_path / "data", executor=RAY | {"address": f"127.0.0.1:{port}"})
    assert "ray start --head" in caught.value.remedy
    with pytest.raises(InputError, match=r"executor\.address = auto"):
        run(tmp_path / "data", executor=RAY | {"address": "auto"})
