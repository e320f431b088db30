"""What Prometheus reads: true, naming nobody, for whoever has the token; and each alarm reads what is there."""

import os
import re
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
import yaml
from django.db import OperationalError
from django.test import Client
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families
from pytest_django import Settings

from adoptions.models import Difference, StripeEvent
from config import backups, heartbeat, metrics
from config.mail import deliver
from config.models import Mail
from tests.species.makers import make_comment

TOKEN = "t" * 32
DEPLOY = Path(__file__).resolve().parents[2] / "config/deploy"
type Reading = dict[tuple[str, ...], float]


@pytest.fixture(autouse=True)
def token(settings: Settings) -> None:
    settings.METRICS_TOKEN = TOKEN


def read(client: Client) -> Reading:
    """Each sample by its name and the values of its labels, in the order of the labels' names."""
    answer = client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 200
    families = text_string_to_metric_families(answer.content.decode())
    return {
        (s.name, *(s.labels[label] for label in sorted(s.labels))): s.value
        for family in families
        for s in family.samples
    }


@pytest.mark.parametrize("given", [None, "", "Bearer", "Bearer ", f"Bearer {TOKEN}x", f"Basic {TOKEN}"])
def test_metrics_are_not_there_without_the_token(client: Client, given: str | None) -> None:
    headers = {} if given is None else {"Authorization": given}
    assert client.get("/metrics", headers=headers).status_code == 404


def test_metrics_are_not_there_where_no_token_is_set(client: Client, settings: Settings) -> None:
    settings.METRICS_TOKEN = ""
    assert client.get("/metrics", headers={"Authorization": "Bearer "}).status_code == 404


@pytest.mark.django_db
def test_gauges_say_what_is_in_the_database(client: Client) -> None:
    hour = timezone.now() - timedelta(hours=1)
    quiet = read(client)
    for number in range(3):
        make_comment(f"Number {number} of them.")
    Mail.objects.create(key="1", kind="x", to="amara@example.org", message_id="<1@x>")
    Mail.objects.update(created_at=hour)
    Mail.objects.create(key="2", kind="x", to="a@example.org", message_id="<2@x>", state="failed", failed_at=hour)
    deliver.enqueue(1)
    StripeEvent.objects.create(id="evt_1", type="invoice.paid", body=b"{}", state="parked")
    Difference.objects.create(kind="missing", stripe_id="ch_1")
    heartbeat.beat()
    heartbeat.beat(backups.PROCESS)
    found = read(client)
    told = {
        ("pugmark_comments_waiting",): 3,
        ("pugmark_mails_waiting",): 1,
        ("pugmark_mails_failed_day",): 1,
        ("pugmark_tasks_waiting", "default"): 1,
        ("pugmark_events_parked",): 1,
        ("pugmark_differences_open",): 1,
        ("pugmark_database_up",): 1,
    }
    assert {name: found[name] for name in told} == told
    assert found[("pugmark_mails_oldest_seconds",)] == pytest.approx(3600, abs=60)
    ages = ("pugmark_worker_silent_seconds",), ("pugmark_backup_age_seconds",), ("pugmark_webhook_age_seconds",)
    assert [found[age] < 60 for age in ages] == [True] * 3
    assert quiet.keys().isdisjoint(ages)  # never yet: no number, which the alarms ask for


@pytest.mark.django_db
def test_requests_are_counted_by_view_and_name_nobody(client: Client) -> None:
    name = ("pugmark_requests_total", "GET", "200", "healthz")
    before = read(client).get(name, 0)
    client.get("/healthz")
    client.get("/gift/aVerySecretToken-0123456789/?email=amara@example.org")
    client.generic("BREW", "/no/such/page-of-amara/")
    found = read(client)
    assert found[name] == before + 1
    assert found[("pugmark_requests_total", "GET", "404", "adoptions:gift")] >= 1
    assert found[("pugmark_requests_total", "other", "404", "none")] >= 1
    labels = " ".join(label for sample in found for label in sample[1:])
    assert "amara" not in labels
    assert "aVery" not in labels


def test_numbers_of_the_process_are_told_while_the_database_is_away(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away() -> int:
        raise OperationalError

    monkeypatch.setattr(metrics, "gauges", [metrics.Gauge("pugmark_x", "X.", "", away)])
    found = read(client)
    assert found[("pugmark_database_up",)] == 0
    assert any(name == "pugmark_requests_total" for name, *_ in found)


def test_processes_of_a_host_count_together(tmp_path: Path) -> None:
    """As gunicorn's do: each on its own, one answers for both, also when one has died."""
    environment = {**os.environ, metrics_folder(): str(tmp_path), "DJANGO_SETTINGS_MODULE": "config.settings"}
    count = "import django; django.setup(); from config import metrics; metrics.requests.labels('x', 'GET', 200).inc(2)"
    for more in ("", "; metrics.gauges.clear(); print(metrics.reading().decode())"):
        done = subprocess.run([sys.executable, "-c", count + more], env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    assert 'pugmark_requests_total{method="GET",status="200",view="x"} 4.0' in done.stdout


def metrics_folder() -> str:
    from config import serving

    return serving.COUNTED


# --- alarms -----------------------------------------------------------------------------------------------

ALARMS = [rule for group in yaml.safe_load((DEPLOY / "alerts.yaml").read_text())["groups"] for rule in group["rules"]]


@pytest.mark.django_db
def test_each_alarm_reads_a_number_that_is_there_and_each_gauge_has_an_alarm() -> None:
    there = {each.name for each in metrics.gauges} | {"pugmark_database_up"}
    counted = {"pugmark_requests_total", "pugmark_request_seconds_bucket"}
    asked = {name for rule in ALARMS for name in re.findall(r"\bpugmark_\w+", rule["expr"])}
    assert asked == there | counted
    assert len({rule["alert"] for rule in ALARMS}) == len(ALARMS)
    assert {rule["labels"]["severity"] for rule in ALARMS} == {"page", "ticket"}


def test_each_alarm_has_a_section_in_the_runbook_and_each_section_an_alarm() -> None:
    runbook = (DEPLOY / "RUNBOOK.md").read_text()
    sections = dict(re.findall(r"^## (\w+)\n\n(.+?)(?=\n## |\Z)", runbook, re.DOTALL | re.MULTILINE))
    assert list(sections) == [rule["alert"] for rule in ALARMS]
    assert [name for name, text in sections.items() if len(text) < 100] == []
