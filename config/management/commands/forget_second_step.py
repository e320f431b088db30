from argparse import ArgumentParser
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError

from config import second_step


class Command(BaseCommand):
    help = "For a member of staff who lost both phone and recovery codes: they set up the second step anew."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username")

    def handle(self, *, username: str, **options: Any) -> None:
        user = User.objects.filter(username=username).first()
        if user is None:
            raise CommandError(f"There is no member of staff named {username}.")
        had = second_step.forget([user.pk])
        self.stdout.write(f"{username} sets it up at the next sign-in." if had else f"{username} had none.")
