from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from config import retention


class Command(BaseCommand):
    help = "Let go of what is older than config/retention.toml allows. The worker does it every hour."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="Say what would go, and change nothing.")

    def handle(self, *args: Any, dry_run: bool, **options: Any) -> None:
        for rule, count in retention.purge(dry_run=dry_run):
            self.stdout.write(f"{count:>9,}  {rule.table}: {rule.then.rpartition('.')[2]}, {rule.said}")
        if dry_run:
            self.stdout.write("Nothing was changed.")
