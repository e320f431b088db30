"""How the admin's lists and searches grow from a thousand adoptions to a million: the ratio of their times.

    .venv/bin/python tests/bench/measure_admin_lists.py [adoptions [words in the names of what to measure]]

Works in two databases of its own beside the configured one, in turns, and drops them at the end. Needs some 2 GB and
five minutes.
"""

import os
import re
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import django
from django.conf import settings

FEW, MANY = 1_000, 1_000_000
ROUNDS = 21
REPEATING = "monthly,yearly"


def within(moment: str, *, since: str = "2026-09-01") -> str:
    """A month, as the reports link to it; longer, where a thousand adoptions would not fill a page of it."""
    return f"{moment}__gte={since}T00:00:00Z&{moment}__lt=2026-10-01T00:00:00Z"


# What make_load has of each kind, and the list behind each figure of the report; in brackets what one asks for.
BROUGHT_BY = {
    "campaign, even": "campaign__id__exact=[made-up-0]",
    "campaign, a quarter": "campaign__id__exact=[made-up-large]",
    "campaign, early": "campaign__id__exact=[made-up-early]",
    "source, 2,000 old": "utm_source=old",
    "source, revived": "utm_source=again",
    "medium, on a third": "utm_medium=email",
    "no source": "utm_source=",
}
BEHIND = {
    "adoptions": "adoptions/adoption/?{0}&activated_at__isnull=0",
    "still run": "adoptions/adoption/?{0}&state__in=active,past_due",
    "new": "adoptions/adoption/?new={1}",
    "late": "adoptions/adoption/?late={1}",
    "first": "adoptions/adoption/?first={1}",
    "payments": "adoptions/payment/?{0}",
    "gone back": "adoptions/payment/?{0}&kind__in=refund,dispute",
    "landings": "adoptions/campaignday/?{0}",
}
OF_CAMPAIGNS = {
    f"{by}: {figure}": address.format(words, words.replace("=", ":"))
    for by, words in BROUGHT_BY.items()
    for figure, address in BEHIND.items()
}

LISTS = {
    "adoptions": "adoptions/adoption/",
    "adoptions, page 20": "adoptions/adoption/?p=20",
    "adoptions, held": "adoptions/adoption/?state__exact=held",
    "adoptions, active": "adoptions/adoption/?state__exact=active",
    "adoptions by a common name": "adoptions/adoption/?q=marek",
    "adoptions by a rare name": "adoptions/adoption/?q=22PJ",
    "adoption by reference": "adoptions/adoption/?q=PM-22222233",
    "adoption by address": "adoptions/adoption/?q=load500@example.org",
    "adoption by charge": "adoptions/adoption/?q=ch_load500",
    "adoptions, a word nobody has": "adoptions/adoption/?q=zzyzx",
    "payments": "adoptions/payment/",
    "payment by invoice": "adoptions/payment/?q=in_load500",
    "payments, refunds only": "adoptions/payment/?kind__exact=refund",
    "payments of a month": f"adoptions/payment/?{within('occurred_at')}",
    "adoptions begun in a month": f"adoptions/adoption/?frequency__in={REPEATING}&{within('activated_at')}",
    "adoptions ended since": f"adoptions/adoption/?frequency__in={REPEATING}&{within('ended_at', since='2024-12-01')}",
    "begun in a month and still run": f"adoptions/adoption/?state__in=active,past_due&{within('activated_at')}",
    "failed payments": "adoptions/failedrenewal/",
    "failed payments, lost": "adoptions/failedrenewal/?became=lost",
    "failed payments, recovered": "adoptions/failedrenewal/?became=recovered",
    "failed payments, one reason": "adoptions/failedrenewal/?reason__exact=expired_card",
    "failed payment by invoice": "adoptions/failedrenewal/?q=in_load501",
    "reports": "adoptions/payment/reports/",
    "a report as a file": "adoptions/payment/reports/coming-and-going.csv",
    "supporters": "adoptions/supporter/",
    "supporters by a common name": "adoptions/supporter/?q=marek",
    "presents": "adoptions/gift/",
    "present by a rare name": "adoptions/gift/?q=22PJ",
    "refunds": "adoptions/refundrequest/",
    "differences, open": "adoptions/difference/",
    "differences, all": "adoptions/difference/?state=all",
    "things to look at": "adoptions/attention/",
    "events": "adoptions/stripeevent/",
    "events, one type": "adoptions/stripeevent/?type=invoice.paid",
    "event by what it is about": "adoptions/stripeevent/?q=in_load500",
    "complaints": "adoptions/complaint/",
    "complaints, to answer": "adoptions/complaint/?state=open",
    "complaint by reference": "adoptions/complaint/?q=CP-2222225R",
    "complaint by address": "adoptions/complaint/?q=load501@example.org",
    "differences, of one charge": "adoptions/difference/?state=all&q=ch_load501",
    "consent": "adoptions/consentevent/",
    "consent, refused": "adoptions/consentevent/?state__exact=withdrawn",
    "consent, on a ground nobody has": "adoptions/consentevent/?basis__exact=soft_opt_in",
    "consent by a common name": "adoptions/consentevent/?q=marek",
    "declarations": "adoptions/giftaiddeclaration/",
    "declarations by a common name": "adoptions/giftaiddeclaration/?q=marek",
    "declarations by postcode": "adoptions/giftaiddeclaration/?q=LS1 1PD",
    "declarations by address": "adoptions/giftaiddeclaration/?q=load501@example.org",
    "declarations, by word of mouth": "adoptions/giftaiddeclaration/?channel__exact=oral",
    "declarations, taken back": "adoptions/giftaiddeclaration/?cancelled_on__isnull=False",
    "mails": "config/mail/",
    "mails by address": "config/mail/?q=load501@example.org",
    "mails, failed": "config/mail/?state__exact=failed",
    "campaigns": "adoptions/campaign/",
    "days of landings": "adoptions/campaignday/",
    "what campaigns have brought": "adoptions/campaign/report/",
    "what sources have brought": "adoptions/campaign/report/?by=source",
    **OF_CAMPAIGNS,
    "comments": "species/comment/",
    "comments, all": "species/comment/?status=all",
    "comments by a common name": "species/comment/?status=all&q=marek",
    "comments one by one": "species/comment/queue/",
    "acts of staff": "config/auditentry/",
    "acts of one of the staff": "config/auditentry/?q=made",
    "acts upon one supporter": "config/auditentry/?q=supporter 500",
    "acts, exports only": "config/auditentry/?act__exact=exported",
    "who rings, a common name": "adoptions/supporter/find/?q=marek",
    "who rings, common name misspelt": "adoptions/supporter/find/?q=Mareks",
    "who rings, name misspelt": "adoptions/supporter/find/?q=Priya Hugues",
    "who rings, last four digits": "adoptions/supporter/find/?q=4242",
    "who rings, nobody": "adoptions/supporter/find/?q=zzyzx",
    "timeline": "adoptions/supporter/500/timeline/",
    "today": "",
}


def set_up() -> None:
    """Find the project from wherever the script is started, and point it at a database of its own."""
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    os.environ["DEBUG"] = "True"
    django.setup()
    settings.DEBUG = False  # queries are not kept
    settings.ALLOWED_HOSTS = ["testserver"]


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def administer(statement: str) -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(statement)


def database(name: str, adoptions: int) -> Any:
    """A connection to a new database with so many adoptions."""
    from django.contrib.auth.models import User
    from django.core.management import call_command
    from django.db import connection, connections

    from adoptions import reports

    administer(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
    administer(f"CREATE DATABASE {name}")
    home = connections["default"]
    there = connection.copy("default")
    there.settings_dict["NAME"] = name
    connections["default"] = there
    call_command("migrate", verbosity=0)
    User.objects.create_superuser("bench")
    settings.DEBUG = True  # make_load works nowhere else
    call_command("make_load", adoptions=adoptions)
    reports.gather()
    settings.DEBUG = False
    connections["default"] = home
    return there


def reader(there: Any) -> Callable[[str], Any]:
    """What opens a page of one database, as one of the staff."""
    from django.contrib.auth.models import User
    from django.db import connections
    from django.test import Client

    from adoptions.models import Campaign

    connections["default"] = there
    client = Client()
    client.force_login(User.objects.get(username="bench"))

    known = {f"[{code}]": str(pk) for code, pk in Campaign.objects.values_list("code", "pk")}

    def read(address: str) -> Any:
        connections["default"] = there
        path, _, query = re.sub(r"\[.*?\]", lambda code: known[code[0]], address).partition("?")
        answer = client.get(
            path if path.startswith("/") else f"/admin/{path}",
            query_params=dict(part.split("=") for part in query.split("&") if part),
        )
        assert answer.status_code == 200, (address, answer.status_code)
        return answer

    return read


def measure(there: Any) -> Callable[[str], float]:
    """What opens a page of one database and says how many milliseconds it took."""
    read = reader(there)

    def spent(address: str) -> float:
        began = time.perf_counter()
        read(address)
        return (time.perf_counter() - began) * 1000

    return spent


def main() -> None:
    from django.db import connections

    many = int(sys.argv[1]) if len(sys.argv) > 1 else MANY
    home = connections["default"]
    opened = [database(f"pugmark_bench_money_{number}", number) for number in (FEW, many)]
    try:
        few_pages, many_pages = [measure(there) for there in opened]
        say(f"{'':34} {FEW:>10,} {many:>12,}   growth")
        for name, address in LISTS.items():
            if not any(word in name for word in sys.argv[2:] or [""]):
                continue
            pairs = [(few_pages(address), many_pages(address)) for _round in range(ROUNDS)]
            small, large = (statistics.median(times) for times in zip(*pairs, strict=True))
            rows = " and ".join(str(reader(there)(address).content.count(b"<tr")) for there in opened)
            say(f"{name:34} {small:>7.0f} ms {large:>9.0f} ms {large / small:>7.2f} x {rows:>12} rows")
    finally:
        for there in opened:
            there.close()
        connections["default"] = home
        for number in (FEW, many):
            administer(f"DROP DATABASE IF EXISTS pugmark_bench_money_{number} WITH (FORCE)")


if __name__ == "__main__":
    set_up()
    main()
