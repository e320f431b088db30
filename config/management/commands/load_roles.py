from typing import Any

from django.core.management.base import BaseCommand, CommandError

from config import roles


class Command(BaseCommand):
    help = "Bring the roles of staff (groups and what they may do) in line with config/roles.py. Safe to repeat."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            found = roles.load()
        except LookupError as error:
            raise CommandError(str(error)) from error
        self.stdout.write("Roles: " + ", ".join(f"{role} ({count})" for role, count in found.items()) + ".")
