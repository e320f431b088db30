from django import template

from config.money import pounds

register = template.Library()
register.filter("pounds", pounds)
