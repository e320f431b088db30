"""What each kind of staff may do: no more than their work needs. A person may have several roles.

Groups of Django's, brought in line with this table by `manage.py load_roles` at every upgrade, after `migrate` has
made the permissions. Rights given to one person beside their roles stay theirs; a superuser is nobody's role.
"""

from django.contrib.auth.models import Group, Permission
from django.db import transaction

CONTENT = ("species", "fact", "source", "text", "threat", "conflict", "populationcount", "fieldnote", "picture")
PARTS = ("speciesthreat", "conflictposition")  # edited within what they are part of


def every(app: str, models: tuple[str, ...], *acts: str) -> tuple[str, ...]:
    return tuple(f"{app}.{act}_{model}" for model in models for act in acts)


ROLES: dict[str, tuple[str, ...]] = {
    "Moderator": ("species.view_comment", "species.change_comment", "species.view_species"),
    "Editor": (
        *every("species", CONTENT, "view", "add", "change"),
        *every("species", PARTS, "view", "add", "change", "delete"),
    ),
    "Fundraiser": (
        *every("adoptions", ("supporter", "adoption", "payment", "plan", "planprice", "campaignday"), "view"),
        *every("adoptions", ("consentevent", "attention", "giftaiddeclaration", "change", "failedrenewal"), "view"),
        *every("adoptions", ("complaint",), "view", "change"),
        *every("adoptions", ("campaign",), "view", "add", "change"),
        *every("adoptions", ("gift", "supporter", "giftaiddeclaration"), "view", "change"),
        "adoptions.add_giftaiddeclaration",  # that came on paper or by word of mouth
        *every("adoptions", ("likeness", "merge"), "view"),
        "adoptions.delete_supporter",  # erasing who asked for it; what the law wants stays
        "adoptions.add_merge",  # of two supporters who are one person, and its undoing
        "adoptions.add_adoption",  # of somebody who rings, writes or comes by
        "adoptions.view_handentry",
        *every("adoptions", ("note",), "view", "add"),
        "adoptions.add_change",  # stop, pause, skip or another amount for who rings, and asking finance to refund
        *every("adoptions", ("exportedfile", "importedfile"), "view", "add"),  # lists of people
        *every("config", ("mail", "mailwords"), "view", "change"),
        "species.view_species",
    ),
    "Finance": (
        *every("adoptions", ("supporter", "adoption", "payment", "change", "gift", "campaign", "campaignday"), "view"),
        *every("adoptions", ("giftaiddeclaration", "comparison", "failedrenewal"), "view"),
        *every("adoptions", ("plan", "planprice"), "view", "add", "change"),
        *every("adoptions", ("refundrequest", "exportedfile", "note"), "view", "add"),
        "adoptions.add_adoption",
        *every("adoptions", ("handentry",), "view", "change"),  # found at the bank
        *every("adoptions", ("difference", "attention", "closure", "stripeevent"), "view", "change"),
        "config.view_mail",
        "species.view_species",
    ),
    "Auditor": (),  # may look at everything and touch nothing: see load()
}
OURS = ("config", "adoptions", "species")


@transaction.atomic
def load() -> dict[str, int]:
    """Bring the groups in line; how many permissions each has. Raises LookupError for one that does not exist."""
    known = {f"{each.content_type.app_label}.{each.codename}": each for each in _permissions()}
    missing = sorted({name for names in ROLES.values() for name in names} - set(known))
    if missing:
        raise LookupError(f"No such permission: {', '.join(missing)}. Run migrate first.")
    for role, names in ROLES.items():
        group, _ = Group.objects.get_or_create(name=role)
        group.permissions.set(known[name] for name in names or _looking(known))
    return {role: len(names or _looking(known)) for role, names in ROLES.items()}


def _permissions() -> list[Permission]:
    return list(Permission.objects.select_related("content_type"))


def _looking(known: dict[str, Permission]) -> list[str]:
    """Everything of ours but the page to edit mails on, the accounts of staff, what they and the worker did."""
    also = ("auth.view_group", "auth.view_user", "admin.view_logentry", "django_tasks_database.view_dbtaskresult")
    ours = tuple(f"{app}.view_" for app in OURS)
    return [name for name in known if name in also or (name.startswith(ours) and name != "config.view_mailwords")]
