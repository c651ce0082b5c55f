"""docker-compose.yml, Dockerfile and .dockerignore: what can be said of them without a Docker engine."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parent.parent
COMPOSE = ROOT / "docker-compose.yml"


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    return yaml.safe_load(COMPOSE.read_text("utf-8"))


def has_compose() -> bool:
    """Whether this machine has the docker client with its compose plugin; an engine is not needed for ``config``."""
    docker = shutil.which("docker")
    return bool(docker) and subprocess.run([docker, "compose", "version"], capture_output=True).returncode == 0


def docker_config(**environment: str) -> subprocess.CompletedProcess[str]:
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("POSTGRES_", "NACHLESE_"))}
    command = ["docker", "compose", "--file", str(COMPOSE), "--env-file", os.devnull, "config", "--quiet"]
    return subprocess.run(command, env=clean | environment, capture_output=True, text=True, timeout=60)


@pytest.mark.skipif(not has_compose(), reason="the docker client with its compose plugin is not installed here")
def test_docker_accepts_the_file_and_misses_the_password() -> None:
    good = docker_config(POSTGRES_PASSWORD="a$b c'd")
    assert good.returncode == 0, good.stderr
    bad = docker_config()
    assert bad.returncode != 0 and "POSTGRES_PASSWORD" in bad.stderr


def test_postgres_is_a_supported_version_with_volume_and_health_check(compose: dict[str, Any]) -> None:
    database = compose["services"]["database"]
    name, version = database["image"].split(":")
    assert name == "postgres" and int(version) >= 17
    assert "pg_isready" in database["healthcheck"]["test"]
    # 18 and later keep their data one folder further up than 17
    place = "/var/lib/postgresql" if int(version) >= 18 else "/var/lib/postgresql/data"
    assert database["volumes"] == [f"database:{place}"]
    assert {"database", "archive"} == set(compose["volumes"])


def test_the_database_is_reachable_from_this_machine_only(compose: dict[str, Any]) -> None:
    assert all(port.startswith("127.0.0.1:") for port in compose["services"]["database"]["ports"])
    assert "ports" not in compose["services"]["scheduler"]


def test_the_scheduler_waits_for_a_healthy_database(compose: dict[str, Any]) -> None:
    assert compose["services"]["scheduler"]["depends_on"] == {"database": {"condition": "service_healthy"}}


def test_config_is_mounted_read_only_and_the_archive_is_a_volume(compose: dict[str, Any]) -> None:
    scheduler = compose["services"]["scheduler"]
    config, archive = scheduler["volumes"]
    assert config["read_only"] is True and config["target"] == scheduler["environment"]["NACHLESE_CONFIG"]
    assert config["source"].endswith("./config}")
    assert archive == f"archive:{scheduler['environment']['NACHLESE_HOME']}"


def test_no_password_is_written_down_and_a_missing_one_stops_the_start(compose: dict[str, Any]) -> None:
    text = COMPOSE.read_text("utf-8")
    values = re.findall(r"(?m)^\s+(?:PGPASSWORD|POSTGRES_PASSWORD|NACHLESE_READER_PASSWORD): (.+)$", text)
    assert len(values) == 5
    assert all(value.startswith(("${POSTGRES_PASSWORD:?", "${READER_PASSWORD:-}")) for value in values)
    assert "@" in compose["services"]["scheduler"]["environment"]["NACHLESE_DATABASE_URL"]
    assert not re.search(r"://[^/@\s]*:[^/@\s]*@", text), "a password in an address"


def test_a_stop_leaves_time_for_what_is_in_flight(compose: dict[str, Any]) -> None:
    scheduler = compose["services"]["scheduler"]
    assert scheduler["stop_grace_period"] == "25s"
    assert scheduler["stop_signal"] == "SIGTERM"


def test_the_scheduler_has_no_rights_that_it_does_not_need(compose: dict[str, Any]) -> None:
    scheduler = compose["services"]["scheduler"]
    assert scheduler["read_only"] is True and scheduler["cap_drop"] == ["ALL"]
    last_stage = (ROOT / "Dockerfile").read_text("utf-8").rsplit("\nFROM ", 1)[1]
    assert re.search(r"(?m)^USER nachlese$", last_stage)


def test_the_image_is_built_with_the_locked_versions() -> None:
    text = (ROOT / "Dockerfile").read_text("utf-8").replace("\\\n", " ")
    installs = [line for line in text.splitlines() if "pip install" in line]
    assert installs and all("-c requirements.lock" in line for line in installs)


def test_what_the_image_copies_is_let_through_and_nothing_else_is() -> None:
    ignore = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    let_through = {line[1:] for line in ignore if line.startswith("!")}
    copied: set[str] = set()
    for line in (ROOT / "Dockerfile").read_text("utf-8").splitlines():
        if line.startswith("COPY ") and "--from" not in line:
            copied |= set(line.split()[1:-1])
    assert "*" in ignore
    assert copied == let_through
    assert all((ROOT / name).exists() for name in copied)


def test_the_pages_read_as_the_role_that_may_only_read_and_are_for_this_machine(compose: dict[str, Any]) -> None:
    web, roles = compose["services"]["web"], compose["services"]["roles"]
    assert web["environment"]["NACHLESE_DATABASE_URL"].startswith("postgresql://nachlese_reader@")
    assert "POSTGRES_PASSWORD" not in str(web), "the pages know no password but the reader's"
    assert web["depends_on"] == {"roles": {"condition": "service_completed_successfully"}}
    assert roles["command"] == ["db", "roles"]
    assert all(port.startswith("127.0.0.1:") for port in web["ports"])
    assert web["read_only"] is True and web["cap_drop"] == ["ALL"]


def test_any_number_of_workers_crawl_what_the_scheduler_puts_into_the_queue(compose: dict[str, Any]) -> None:
    scheduler, worker = compose["services"]["scheduler"], compose["services"]["worker"]
    assert (scheduler["command"], worker["command"]) == (["schedule", "--queue"], ["worker"])
    assert "profiles" not in worker, "up alone must crawl"
    # what only one container can have: a second one would not start
    assert not {"container_name", "hostname", "ports"} & set(worker)
    same = set(scheduler) - {"command"}
    assert {key: worker[key] for key in same} == {key: scheduler[key] for key in same}


def test_every_service_of_the_image_can_build_it(compose: dict[str, Any]) -> None:
    """Where one could not, compose would look for the image in a registry before it is built."""
    ours = [service for service in compose["services"].values() if service["image"].startswith("nachlese")]
    assert len(ours) == 4 and all(service["build"] == "." for service in ours)


def test_the_layer_of_libraries_has_all_that_the_image_installs() -> None:
    """Otherwise each change of a file would fetch the rest anew."""
    text = (ROOT / "Dockerfile").read_text("utf-8")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    (extras,) = re.findall(r"pip install .*'\.\[([\w,]+)\]'", text)
    (program,) = re.findall(r'RUN python -c "(.+)" > wanted.txt', text)
    wanted = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    expected = project["dependencies"] + [
        one for extra in extras.split(",") for one in project["optional-dependencies"][extra]
    ]
    assert wanted.splitlines() == expected and "workers" in extras
