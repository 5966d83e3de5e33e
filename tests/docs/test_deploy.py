"""The image and what runs beside it: files that are there, settings that the code knows, checked by their own tools."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from neuroclass.config import PROJECT_DIR

_VARIABLE = re.compile(r"NEUROCLASS_[A-Z_]+")


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    return dict(yaml.safe_load((PROJECT_DIR / "compose.yaml").read_text(encoding="utf-8")))


@pytest.fixture(scope="module")
def image() -> str:
    return (PROJECT_DIR / "Dockerfile").read_text(encoding="utf-8")


def test_everything_that_the_image_copies_is_there_and_given_to_it(image):
    copied = [word for line in re.findall(r"^COPY (?!--)(.+) \S+$", image, re.M) for word in line.split()]
    allowed = [line[1:] for line in (PROJECT_DIR / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    assert len(copied) > 8
    assert [name for name in copied if not (PROJECT_DIR / name).exists()] == []
    assert sorted(set(allowed)) == sorted(set(copied))


def test_the_image_holds_what_the_wheel_is_made_of(image):
    import tomllib

    project = tomllib.loads((PROJECT_DIR / "pyproject.toml").read_text(encoding="utf-8"))
    included = project["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    assert [name for name in included if f" {name}" not in image] == []


def test_the_image_runs_as_nobody_in_particular_and_says_how_it_is(image):
    last = image.rpartition("\nFROM ")[2]
    users = re.findall(r"^USER (\S+)", last, re.M)
    assert users and all(user not in ("root", "0") for user in users)
    assert "/healthz" in last.partition("HEALTHCHECK")[2].partition('CMD ["neuroclass')[0]


def test_every_setting_is_one_of_the_server(compose):
    described = set(_VARIABLE.findall((PROJECT_DIR / "docs" / "serving.md").read_text(encoding="utf-8")))
    for service in compose["services"].values():
        used = {name for name in service.get("environment", {}) if name.startswith("NEUROCLASS_")}
        assert used <= described
    assert compose["services"]["neuroclass"]["environment"]["NEUROCLASS_LOGIN"] == "required"


def test_secrets_are_files_outside_the_repository_and_the_database_is_not_reached_from_outside(compose):
    for service in compose["services"].values():
        assert set(service.get("secrets", ())) <= set(compose["secrets"])
        assert not any(re.search(r"PASSWORD$|SECRET$|TOKEN$", name) for name in service.get("environment", {}))
    ignored = (PROJECT_DIR / ".gitignore").read_text().splitlines()
    assert all(one["file"].startswith("deploy/secrets/") for one in compose["secrets"].values())
    assert "deploy/secrets/" in ignored
    assert [name for name, one in compose["services"].items() if "ports" in one] == ["proxy"]
    assert compose["services"]["database"]["networks"] == ["inside"]
    assert compose["networks"]["inside"]["internal"]


@pytest.mark.parametrize(
    "command",
    [
        ["hadolint", "Dockerfile"],
        ["docker-compose", "config", "--quiet"],
        ["caddy", "validate", "--adapter", "caddyfile", "--config", "deploy/Caddyfile"],
    ],
    ids=lambda command: command[0],
)
def test_its_own_tool_finds_nothing(command, tmp_path):
    program = shutil.which(command[0], path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    if program is None:
        pytest.skip(f"there is no {command[0]} here")
    for name in ("Dockerfile", "compose.yaml", "deploy"):
        source = PROJECT_DIR / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, tmp_path / name)
    secrets = tmp_path / "deploy" / "secrets"
    secrets.mkdir(exist_ok=True)
    for name in ("history", "login.toml", "database_password"):
        (secrets / name).touch()
    environment = os.environ | {"SERVER_NAME": "localhost", "SERVER_TLS": "internal", "HOME": str(tmp_path)}
    done = subprocess.run(
        [program, *command[1:]], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr
