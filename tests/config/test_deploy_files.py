"""What an operator installs is read by the tools that will read it there, and all of it starts the site in one way."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.answering import Elsewhere, Silent, serving
from tests.config.local.checkouts import free_port

DEPLOY = Path(__file__).resolve().parents[2] / "config/deploy"
UNITS = sorted(path.name for path in DEPLOY.glob("pugmark-*"))
SERVICES = [name for name in UNITS if name.endswith(".service")]
MOST_EXPOSED = 20  # of 100, by systemd's own reckoning; a unit that says nothing has 96
HADOLINT = Path(sys.executable).with_name("hadolint")


def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="no systemd here")
def test_units_are_what_systemd_understands(tmp_path: Path) -> None:
    for name in UNITS:
        here = (DEPLOY / name).read_text().replace("/srv/pugmark/.venv/bin/python", f'"{sys.executable}"')
        (tmp_path / name).write_text(here)
    done = run("systemd-analyze", "verify", "--man=no", *(tmp_path / name for name in UNITS))
    said = [line for line in done.stderr.splitlines() if "pugmark" in line]
    assert (done.returncode, said) == (0, [])


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="no systemd here")
@pytest.mark.parametrize("name", SERVICES)
def test_process_may_do_little_should_somebody_get_in(name: str) -> None:
    done = run(
        "systemd-analyze", "security", "--offline=true", f"--threshold={MOST_EXPOSED}", "--no-pager", DEPLOY / name
    )
    if "--offline" in done.stderr:
        pytest.skip("this systemd is too old to reckon without running")
    assert done.returncode == 0, done.stdout.splitlines()[-1]


@pytest.mark.skipif(not HADOLINT.exists(), reason="no hadolint for this kind of machine")
def test_dockerfile_is_clean() -> None:
    done = run(HADOLINT, "--no-color", DEPLOY / "Dockerfile")
    assert (done.returncode, done.stdout) == (0, "")


needs_caddy = pytest.mark.skipif(not shutil.which("caddy"), reason="no Caddy here")


def adapted(monkeypatch: pytest.MonkeyPatch, host: str) -> str:
    """What this Caddy reads in our file; DEPLOY.md tells operators of an old one the same word."""
    monkeypatch.setenv("SITE_HOST", host)
    major, minor = map(int, re.findall(r"\d+", run("caddy", "version").stdout)[:2])
    if (major, minor) < (2, 7):
        monkeypatch.setenv("SITE_BUFFERS", "buffer_requests")
    done = run("caddy", "adapt", "--adapter=caddyfile", "--config", DEPLOY / "Caddyfile")
    assert done.returncode == 0, done.stderr
    return done.stdout


@needs_caddy
def test_server_in_front_is_what_caddy_understands(monkeypatch: pytest.MonkeyPatch) -> None:
    read = adapted(monkeypatch, "leopards.example")
    for expected in ("leopards.example", "web:8000", "/srv/media"):
        assert f'"{expected}"' in read, "as in compose.yaml unless told otherwise"


class Site(Silent, BaseHTTPRequestHandler):
    server: "Hearing"

    def do_POST(self) -> None:
        self.server.heard.append(self.path)
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(204)
        self.end_headers()


class Hearing(Elsewhere):
    def __init__(self) -> None:
        super().__init__(Site)
        self.heard: list[str] = []


@needs_caddy
@pytest.mark.threat("P4")
@pytest.mark.parametrize("waits", [True, False], ids=["as we ship it", "control: without the buffer"])
def test_who_sends_slowly_keeps_none_of_the_sites_threads(
    waits: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    port = free_port()
    with serving(Hearing()) as site:
        monkeypatch.setenv("SITE_UPSTREAM", f"127.0.0.1:{site.server_port}")
        settings = json.loads(adapted(monkeypatch, f"http://127.0.0.1:{port}")) | {"admin": {"disabled": True}}
        text = json.dumps(settings)
        (tmp_path / "caddy.json").write_text(
            text if waits else re.sub(r'"(buffer_requests|request_buffers)": \w+,', "", text)
        )
        with subprocess.Popen(
            ["caddy", "run", "--config", tmp_path / "caddy.json"],
            env={**os.environ, "HOME": str(tmp_path)},
            stderr=subprocess.DEVNULL,
        ) as caddy:
            line = connected(port)
            line.sendall(b"POST /slow/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 10\r\n\r\nhalf ")
            heard = eventually_heard(site)
            line.sendall(b"more.")
            answer = line.recv(100)
            line.close()
            caddy.terminate()
    assert heard is not waits
    assert answer.startswith(b"HTTP/1.1 204")
    assert site.heard == ["/slow/"]


def connected(port: int) -> socket.socket:
    for _ in range(100):
        with suppress(OSError):
            return socket.create_connection(("127.0.0.1", port), timeout=10)
        time.sleep(0.1)
    raise TimeoutError("Caddy does not listen.")


def eventually_heard(site: Hearing) -> bool:
    """Within half a second, in which it hears of a body at once where nobody keeps it back."""
    for _ in range(25):
        if site.heard:
            return True
        time.sleep(0.02)
    return False


@pytest.mark.skipif(not shutil.which("promtool"), reason="no Prometheus here")
def test_alarms_are_what_prometheus_understands() -> None:
    done = run("promtool", "check", "rules", DEPLOY / "alerts.yaml")
    assert done.returncode == 0, done.stderr


def command_of(text: str) -> set[str]:
    """The arguments of gunicorn that decide how the site is served; where it listens differs."""
    found = re.search(r'gunicorn"?,? "?config\.wsgi(.+)', text)
    assert found
    return {word for word in re.findall(r"--[\w=:.-]+", found[1]) if not word.startswith("--bind")}


def test_site_is_served_in_one_way_everywhere() -> None:
    texts = [(DEPLOY / name).read_text() for name in ("Dockerfile", "compose.yaml", "pugmark-web.service")]
    commands = [command_of(text) for text in texts]
    assert commands[0]
    assert commands == [commands[0]] * 3


def test_compose_file_is_whole() -> None:
    """What its own reader would say, as far as a test can without Docker."""
    known = {"image", "build", "environment", "env_file", "volumes", "command", "ports", "depends_on", "restart"}
    known |= {"healthcheck", "profiles", "<<"}
    whole: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    services = whole["services"]
    assert set(whole) == {"services", "volumes"}
    for name, service in services.items():
        assert set(service) <= known, name
        assert set(service.get("depends_on", {})) <= set(services), name
        assert {each["condition"] for each in service.get("depends_on", {}).values()} <= {
            "service_healthy",
            "service_completed_successfully",
        }
        for volume in service.get("volumes", []):
            assert volume.split(":")[0] in whole["volumes"] or volume.startswith("./"), name
        is_in_front = name == "proxy"
        assert all(port.startswith("127.0.0.1:") or is_in_front for port in service.get("ports", [])), name
        assert re.fullmatch(r"pugmark|[\w/]+:\d+", service["image"]), name
    built = {name for name, service in services.items() if "build" in service}
    assert {services[name]["build"]["dockerfile"] for name in built} == {"config/deploy/Dockerfile"}
    assert services["worker"]["command"] == "python manage.py worker"
    assert "healthcheck" in services["db"]


def test_image_leaves_out_what_is_nobodys_business() -> None:
    ignored = (DEPLOY / "Dockerfile.dockerignore").read_text().split()
    assert {".git", ".env", ".local", ".venv", "media", "tests"} <= set(ignored)
    assert re.findall(r"^USER (\w+)", (DEPLOY / "Dockerfile").read_text(), re.MULTILINE) == ["10001"]
