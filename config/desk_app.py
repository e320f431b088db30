"""Tells Django that its admin is our desk, and names on it what packages name for programmers."""

from django.contrib.admin.apps import AdminConfig
from django_tasks_db.apps import TasksAppConfig


class DeskConfig(AdminConfig):
    default_site = "config.desk.Desk"


class WorkConfig(TasksAppConfig):
    verbose_name = "Work in the background"
