"""How moderating and writing comments grow from a thousand comments to a million: the ratio of their times.

    .venv/bin/python tests/bench/measure_comments.py [comments]

Works in two databases of its own beside the configured one, in turns, and drops them at the end. A posted comment is
set against a view that takes a POST and does nothing. Needs some 2 GB and four minutes.
"""

import statistics
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.bench.measure_admin_lists import FEW, MANY, ROUNDS, administer, database, measure, say, set_up

# A twentieth waits, a tenth is spam, one in a thousand is reported, the rest is shown. One in 500 stands on a page of
# its own.
FILL = """
INSERT INTO species_comment (species_id, name, name_to_show, email, body, masked_body, is_from_charity, is_by_adopter,
    wants_replies, status, created_at, moderated_at, moderated_by_id, reason, held_because, suspicion, network,
    report_count)
SELECT (SELECT min(id) + (n %% 500 = 0)::int FROM species_species),
    (ARRAY['Ann', 'Marek', 'Chidi', 'Ewa'])[1 + n %% 4] || ' Writer' || n,
    '', 'writer' || n %% 100000 || '@example.org',
    'Comment ' || n || ' about ' || (ARRAY['winter', 'cubs', 'prey', 'roads'])[1 + n %% 4] || ' ' || md5(n::text),
    '', false, false, false, status, now() - (%(many)s - n) * interval '1 minute',
    CASE WHEN status = 'pending' THEN NULL ELSE now() END,
    CASE WHEN status = 'approved' THEN (SELECT min(id) FROM auth_user) END,
    '', '', 0, '', (n %% 1000 = 7)::int
FROM (SELECT n, CASE WHEN n %% 20 = 0 THEN 'pending' WHEN n %% 10 = 1 THEN 'spam' ELSE 'approved' END AS status
      FROM generate_series(1, %(many)s) AS n) AS made
"""
PAGES = {
    "the queue": "/admin/species/comment/queue/",
    "the list of what waits": "/admin/species/comment/",
    "what waits, page 2": "/admin/species/comment/?p=2",
    "everything": "/admin/species/comment/?status=all",
    "spam": "/admin/species/comment/?status=spam",
    "withdrawn, of which there is none": "/admin/species/comment/?status=withdrawn",
    "reported": "/admin/species/comment/?reported=yes",
    "of a species few write on": "/admin/species/comment/?status=all&species__id__exact={rare}",
    "of this week": "/admin/species/comment/?status=all&created_at__gte={week}",
    "of the last hour": "/admin/species/comment/?status=all&created_at__gte={hour}",
    "by a common name": "/admin/species/comment/?status=all&q=marek",
    "by an address": "/admin/species/comment/?status=all&q=writer500@example.org",
    "by a rare word": "/admin/species/comment/?status=all&q=writer500",
    "by a word nobody wrote": "/admin/species/comment/?status=all&q=zzyzx",
    "today": "/admin/",
    "the page of the species": "/species/amur-leopard/",
}


def fill(there: Any, many: int) -> None:
    from django.core.management import call_command
    from django.db import connections

    home, connections["default"] = connections["default"], there
    call_command("load_species", verbosity=0)
    with there.cursor() as cursor:
        cursor.execute(FILL, {"many": many})
        cursor.execute("VACUUM ANALYZE species_comment")
    connections["default"] = home


def writers(there: Any) -> Callable[[str], float]:
    """What posts to an address, as somebody new from somewhere else each time, in milliseconds."""
    from django.db import connections
    from django.test import Client

    from species.weighing import form_stamp

    numbers = count()

    def spent(address: str) -> float:
        connections["default"] = there
        n = next(numbers)
        client = Client(REMOTE_ADDR=f"10.{n // 250}.{n % 250}.1")
        words = f"Letter {n}: they seem to like the snow more than I do, and I wonder where they sleep."
        answers = {"name": "Sam", "email": f"sam{n}@example.org", "comment": words, "loaded": form_stamp()}
        began = time.perf_counter()
        answer = client.post(address, answers)
        took = (time.perf_counter() - began) * 1000
        assert answer.status_code in {204, 302, 303}, answer.status_code
        return took

    return spent


def add_an_empty_view() -> None:
    from django.http import HttpResponse
    from django.urls import clear_url_caches, path

    from config import urls

    urls.urlpatterns.append(path("nothing/", lambda request: HttpResponse(status=204)))
    clear_url_caches()


def grown(name: str, pairs: list[tuple[float, float]]) -> None:
    small, large = (statistics.median(times) for times in zip(*pairs, strict=True))
    say(f"{name:40} {small:>7.1f} ms {large:>9.1f} ms {large / small:>7.2f} x")


def main() -> None:
    from django.db import connections
    from django.utils import timezone

    from species.models import Species

    many = int(sys.argv[1]) if len(sys.argv) > 1 else MANY
    home = connections["default"]
    opened = [database(f"pugmark_bench_{number}", FEW) for number in (FEW, many)]
    try:
        for there, number in zip(opened, (FEW, many), strict=True):
            fill(there, number)
        add_an_empty_view()
        connections["default"] = opened[0]
        rare = Species.objects.order_by("pk")[1].pk
        now = timezone.now()
        week, hour = [(now - ago).isoformat() for ago in (timedelta(days=7), timedelta(hours=1))]
        few_pages, many_pages = [measure(there) for there in opened]
        say(f"{'':40} {FEW:>10,} {many:>12,}   growth")
        for name, address in PAGES.items():
            here = address.format(rare=rare, week=week, hour=hour)
            grown(name, [(few_pages(here), many_pages(here)) for _round in range(ROUNDS)])
        few_write, many_write = [writers(there) for there in opened]
        post, nothing = "/species/amur-leopard/comments/", "/nothing/"
        for address in (post, nothing):
            few_write(address), many_write(address)
        grown("a posted comment", [(few_write(post), many_write(post)) for _round in range(3 * ROUNDS)])
        pairs = [(many_write(nothing), many_write(post)) for _round in range(3 * ROUNDS)]
        empty, full = (statistics.median(times) for times in zip(*pairs, strict=True))
        say(f"\nA POST that does nothing {empty:.1f} ms, a posted comment {full:.1f} ms: {full / empty:.1f} times.")
    finally:
        connections["default"] = home
        for there in opened:
            there.close()
        for number in (FEW, many):
            administer(f"DROP DATABASE IF EXISTS pugmark_bench_{number} WITH (FORCE)")


if __name__ == "__main__":
    set_up()
    main()
