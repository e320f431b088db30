"""`{% shapes slug as shapes %}`, then `<use href="{{ shapes }}#person"/>`: see species/figures/shapes.py."""

from django import template

from species.figures.shapes import shapes_address

register = template.Library()

register.simple_tag(shapes_address, name="shapes")
