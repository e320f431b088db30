"""The demonstration's staff account.

Its password is made once and kept in `.local/`, beside the data it opens, so that it can be shown again at every
start and a browser stays signed in. As soon as somebody chooses their own, ours is forgotten and nothing is shown.
"""

import secrets
from pathlib import Path

from django.conf import settings
from django.contrib.auth import get_user_model

USERNAME = "staff"
LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # none that is taken for another


def password_for_staff() -> str | None:
    """Make sure that the account exists. Its password, or None if its owner has chosen another."""
    users = get_user_model()._default_manager
    note = Path(settings.LOCAL_DIR, "staff-password")
    user = users.filter(username=USERNAME).first()
    if user is None:
        password = "-".join("".join(secrets.choice(LETTERS) for _ in range(4)) for _ in range(4))
        users.create_superuser(username=USERNAME, email="staff@example.org", password=password)
        note.unlink(missing_ok=True)
        note.touch(mode=0o600)
        note.write_text(f"{password}\n")
        return password
    password = note.read_text().strip() if note.exists() else ""
    if password and user.check_password(password):
        return password
    note.unlink(missing_ok=True)
    return None
