"""JSON-LD for search engines, made of the same sentences and facts as the page it stands on."""

from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _

from .models import Status
from .page import Item, SpeciesPage
from .share_pictures import share_address

CONTEXT = "https://schema.org"
Thing = dict[str, Any]


def of_page(page: SpeciesPage) -> Thing:
    """One graph: the article, the taxon it is about, the way to it, the questions, and how to give."""
    address = f"{settings.SITE_URL}{page.species.get_absolute_url()}"
    things = [_article(page, address), _taxon(page, address), _breadcrumbs(page, address), _donate(page, address)]
    if page.faq:
        things.append(_questions(page.faq, address))
    return {"@context": CONTEXT, "@graph": things}


def _article(page: SpeciesPage, address: str) -> Thing:
    return {
        "@type": "Article",
        "@id": f"{address}#article",
        "headline": page.species.heading,
        "description": page.description,
        "inLanguage": "en-GB",
        "url": address,
        "mainEntityOfPage": address,
        "image": share_address(page.species),
        "about": {"@id": f"{address}#taxon"},
        "dateModified": page.species.as_of,
        "author": _charity(),
        "publisher": _charity(),
        # Every fact with its sources, as data; the list of them stands on the page once and need not stand here again.
        "isBasedOn": settings.SITE_URL + reverse("species:api", args=[page.species.slug]),
    }


def _charity() -> Thing:
    return {"@type": "NGO", "name": settings.CHARITY["name"], "url": settings.SITE_URL}


def _taxon(page: SpeciesPage, address: str) -> Thing:
    taxon: Thing = {
        "@type": "Taxon",
        "@id": f"{address}#taxon",
        "name": page.species.scientific_name,
        "alternateName": page.species.common_name,
        "taxonRank": "subspecies" if page.species.scientific_name.count(" ") == 2 else "species",
        "description": page.description,
    }
    if page.species.status not in {Status.NE, Status.DD}:
        taxon["additionalProperty"] = {
            "@type": "PropertyValue",
            "name": _("IUCN Red List category"),
            "value": str(page.species.get_status_display()),
        }
    return taxon


def _breadcrumbs(page: SpeciesPage, address: str) -> Thing:
    steps = [
        (_("Home"), f"{settings.SITE_URL}{reverse('species:home')}"),
        (_("Species"), f"{settings.SITE_URL}{reverse('species:list')}"),
        (page.species.heading, address),
    ]
    return {
        "@type": "BreadcrumbList",
        "itemListElement": [
            {"@type": "ListItem", "position": position, "name": name, "item": item}
            for position, (name, item) in enumerate(steps, start=1)
        ],
    }


def _donate(page: SpeciesPage, address: str) -> Thing:
    return {
        "@type": "DonateAction",
        "name": _("Adopt the %(name)s") % {"name": page.species.common_name},
        "recipient": _charity(),
        "target": f"{settings.SITE_URL}{reverse('adoptions:adopt', args=[page.species.slug])}",
    }


def _questions(faq: tuple[Item, ...], address: str) -> Thing:
    return {
        "@type": "FAQPage",
        "@id": f"{address}#questions",
        "mainEntity": [
            {
                "@type": "Question",
                "name": item.title,
                "acceptedAnswer": {
                    "@type": "Answer",
                    "text": " ".join(sentence.text for paragraph in item.paragraphs for sentence in paragraph),
                },
            }
            for item in faq
        ],
    }
