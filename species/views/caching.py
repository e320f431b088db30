"""How long anyone, and any cache between, may keep a public page. None of them is made for one visitor."""

from django.views.decorators.cache import cache_control

# A corrected fact or an approved comment is seen within a minute, and a busy day reaches the database once a minute.
public_page = cache_control(public=True, max_age=60)
