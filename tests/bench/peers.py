"""A WordPress and a Wagtail with a page like ours, beside the species page in measure_reading.py: `make bench-peers`.

    .venv/bin/python tests/bench/peers.py [--check]

Each is set up as those who make it ship it, in a temporary folder and on 127.0.0.1: one page of 28 kB of words with 30
comments, out of no cache but what it brings itself; the WordPress besides with its pages kept by PHP, as its cache
plugins do (a drop-in that hands out a file), and kept by nginx. All is stopped and removed afterwards. WordPress needs
Debian's packages `wordpress wordpress-theme-twentytwentythree php-fpm php-mysql mariadb-server nginx`, and does not
touch what they have set up; Wagtail comes from the package registry into an environment that is thrown away. Who is
not to be had is left out, and it is said. With --check each page is only fetched, and its size and status are said.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
import venv
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.bench.measure_lighthouse import say, wait_for  # noqa: E402
from tests.bench.measure_reading import SERVER, free_port  # noqa: E402

WORDPRESS = Path("/usr/share/wordpress")
THEME = WORDPRESS / "wp-content" / "themes" / "twentytwentythree"
WORDS = "They walk alone through the snow of the hills, and each knows where the others have been. "
BODY = "".join(f"<p>{WORDS * 4}</p>\n" for _ in range(78))  # 28 kB
COMMENTS = 30
COMMENT = "They are beautiful, and so few. " * 6
PATIENCE = 600  # seconds, for what comes from the registry

WORDPRESS_SETTINGS = """<?php
define('DB_NAME', 'wordpress'); define('DB_USER', 'root'); define('DB_PASSWORD', '');
define('DB_HOST', 'localhost:{socket}'); define('DB_CHARSET', 'utf8mb4'); define('DB_COLLATE', '');
define('AUTH_KEY', 'thrown away'); define('SECURE_AUTH_KEY', 'thrown away'); define('NONCE_KEY', 'thrown away');
define('LOGGED_IN_KEY', 'thrown away'); define('AUTH_SALT', 'thrown away'); define('NONCE_SALT', 'thrown away');
define('SECURE_AUTH_SALT', 'thrown away'); define('LOGGED_IN_SALT', 'thrown away');
define('WP_HTTP_BLOCK_EXTERNAL', true); define('DISABLE_WP_CRON', true); define('AUTOMATIC_UPDATER_DISABLED', true);
define('WP_CACHE', true);  // looks for the drop-in below
$table_prefix = 'wp_';
if (!defined('ABSPATH')) define('ABSPATH', __DIR__ . '/');
require_once ABSPATH . 'wp-settings.php';
"""
PAGES_KEPT_BY_PHP = """<?php
if ($_SERVER['SERVER_PORT'] === '{port}') {{
    $kept = '{folder}/site/kept-' . md5($_SERVER['REQUEST_URI']);
    if (is_readable($kept)) {{ header('Content-Type: text/html; charset=UTF-8'); readfile($kept); exit; }}
    ob_start(function ($page) use ($kept) {{ file_put_contents($kept, $page); return $page; }});
}}
"""
WORDPRESS_CONTENT = """<?php
define('WP_INSTALLING', true);
$_SERVER['HTTP_HOST'] = '127.0.0.1:' . $argv[1];
function wp_new_blog_notification() {}  // would send a mail
require __DIR__ . '/wp-load.php';
require ABSPATH . 'wp-admin/includes/upgrade.php';
$given = json_decode(file_get_contents('php://stdin'), true);
wp_install('Leopards', 'marek', 'marek@example.org', true, '', 'measured-and-thrown-away');
foreach (['siteurl', 'home'] as $name) update_option($name, 'http://127.0.0.1:' . $argv[1]);
switch_theme('twentytwentythree');
$GLOBALS['wp_rewrite']->set_permalink_structure('/%postname%/');
$post = wp_insert_post(['post_title' => 'Amur leopard', 'post_content' => $given['body'], 'post_status' => 'publish']);
for ($n = 0; $n < $given['comments']; $n++) wp_insert_comment(['comment_post_ID' => $post, 'comment_author' => 'Sam',
    'comment_author_email' => "sam$n@example.org", 'comment_content' => $given['comment'], 'comment_approved' => 1]);
echo get_permalink($post);
"""
PHP = """[global]
error_log = {folder}/php.log
daemonize = no
[www]
{who}listen = {folder}/php.sock
pm = dynamic
pm.max_children = 5
pm.start_servers = 2
pm.min_spare_servers = 1
pm.max_spare_servers = 3
"""
NGINX = """daemon off; pid {folder}/nginx.pid; error_log stderr crit; worker_processes 2; {who}events {{}}
http {{ access_log off; client_body_temp_path {folder}/t1; fastcgi_temp_path {folder}/t2; proxy_temp_path {folder}/t3;
uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5; include /etc/nginx/mime.types;
fastcgi_cache_path {folder}/kept keys_zone=pages:10m;
map $server_port $is_made_anew {{ default 1; {kept_by_nginx} 0; }}
server {{ listen 127.0.0.1:{port}; listen 127.0.0.1:{kept_by_php}; listen 127.0.0.1:{kept_by_nginx};
root {folder}/site; index index.php;
location / {{ try_files $uri $uri/ /index.php?$args; }}
location ~ \\.php$ {{ include /etc/nginx/fastcgi_params; fastcgi_param HTTP_HOST 127.0.0.1:{port};
fastcgi_cache pages; fastcgi_cache_key $request_uri; fastcgi_cache_valid 200 1h;
fastcgi_cache_bypass $is_made_anew; fastcgi_no_cache $is_made_anew;
fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name; fastcgi_pass unix:{folder}/php.sock; }} }} }}
"""
WAGTAIL_MODELS = """
from django.db import models
from wagtail.fields import RichTextField
from wagtail.models import Page


class HomePage(Page):
    body = RichTextField(default="")


class Comment(models.Model):
    page = models.ForeignKey(HomePage, on_delete=models.CASCADE, related_name="comments")
    name = models.CharField(max_length=80)
    body = models.TextField()
    created_at = models.DateTimeField(auto_now_add=True)
"""
WAGTAIL_TEMPLATE = """{% extends "base.html" %}{% load wagtailcore_tags %}
{% block content %}<h1>{{ page.title }}</h1>{{ page.body|richtext }}
{% for comment in page.comments.all %}<article><h2>{{ comment.name }}</h2><time>{{ comment.created_at|date }}</time>
{{ comment.body|linebreaks }}</article>{% endfor %}{% endblock %}"""
WAGTAIL_SETTINGS = 'SECRET_KEY = "measured-and-thrown-away" * 3\nALLOWED_HOSTS = ["127.0.0.1"]\n'
WAGTAIL_CONTENT = """
import json, sys
from home.models import Comment, HomePage
given = json.load(sys.stdin)
page = HomePage.objects.get()
page.title, page.body = "Amur leopard", given["body"]
page.save_revision().publish()
for _ in range(given["comments"]):
    Comment.objects.create(page=page, name="Sam", body=given["comment"])
"""


@contextmanager
def runs(*command: str | Path, folder: Path, more: Mapping[str, str] | None = None) -> Iterator[None]:
    """A process that ends with the block; what it says goes to a file beside it."""
    with (folder / "said.log").open("ab") as said:
        process = subprocess.Popen(
            [str(word) for word in command],
            cwd=folder,
            stdout=said,
            stderr=said,
            env={**os.environ, **(more or {})},
        )
        try:
            yield
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def wait_until(is_there: Callable[[], bool]) -> None:
    for _try in range(600):
        if is_there():
            return
        time.sleep(0.1)
    raise TimeoutError("A process that was started is not ready after a minute.")


def given() -> str:
    return json.dumps({"body": BODY, "comments": COMMENTS, "comment": COMMENT})


def php_server() -> str | None:
    """Debian names it with its version, and keeps it where only root looks."""
    found = sorted(Path("/usr/sbin").glob("php-fpm*"))
    return str(found[-1]) if found else None


def what_wordpress_lacks() -> list[str]:
    there = {
        "wordpress": WORDPRESS.is_dir(),
        "wordpress-theme-twentytwentythree": THEME.is_dir(),
        "php-fpm": php_server(),
        "php-mysql": bool(list(Path("/etc/php").glob("*/cli/conf.d/*mysqli.ini"))),
        "mariadb-server": shutil.which("mariadb-install-db") and shutil.which("mariadbd", path="/usr/sbin:/usr/bin"),
        "nginx": shutil.which("nginx", path="/usr/sbin:/usr/bin"),
    }
    return [name for name, found in there.items() if not found]


@contextmanager
def wordpress(folder: Path) -> Iterator[dict[str, str]]:
    """Addresses of the post: Debian's files and theme, MariaDB, PHP's server as Debian sets it up, nginx in front."""
    is_root, name = os.geteuid() == 0, "nobody"
    who = [f"--user={name}"] if is_root else []
    data, socket = folder / "data", folder / "db.sock"
    port, kept_by_php, kept_by_nginx = free_port(), free_port(), free_port()
    site = folder / "site"
    shutil.copytree(WORDPRESS, site, ignore=shutil.ignore_patterns(".htaccess"), ignore_dangling_symlinks=True)
    (site / "wp-config.php").write_text(WORDPRESS_SETTINGS.format(socket=socket))
    (site / "content.php").write_text(WORDPRESS_CONTENT)
    drop_in = PAGES_KEPT_BY_PHP.format(folder=folder, port=kept_by_php)
    (site / "wp-content" / "advanced-cache.php").write_text(drop_in)
    if is_root:
        subprocess.run(["chown", "-R", f"{name}:", str(folder)], check=True)
    install = ["mariadb-install-db", "--no-defaults", f"--datadir={data}", "--auth-root-authentication-method=normal"]
    subprocess.run([*install, "--skip-test-db", *who], check=True, stdout=subprocess.DEVNULL)
    database = ["/usr/sbin/mariadbd", "--no-defaults", f"--datadir={data}", f"--socket={socket}", *who]
    as_whom = f"user = {name}\nlisten.owner = {name}\n" if is_root else ""
    (folder / "php.conf").write_text(PHP.format(folder=folder, who=as_whom))
    ports = {"port": port, "kept_by_php": kept_by_php, "kept_by_nginx": kept_by_nginx}
    (folder / "nginx.conf").write_text(NGINX.format(folder=folder, who=f"user {name} nogroup; " * is_root, **ports))
    with ExitStack() as stack:
        stack.enter_context(runs(*database, "--skip-networking", f"--pid-file={folder}/db.pid", folder=folder))
        ask = ["mariadb", "--no-defaults", f"--socket={socket}", "--user=root"]
        wait_until(socket.exists)
        subprocess.run([*ask, "--execute=CREATE DATABASE wordpress"], check=True)
        made = ["php", "content.php", str(port)]
        done = subprocess.run(made, cwd=site, input=given(), capture_output=True, text=True, check=True)
        address = done.stdout.strip()
        (site / "content.php").unlink()
        stack.enter_context(runs(php_server() or "", "-R", "-F", "-y", folder / "php.conf", folder=folder))
        stack.enter_context(runs("/usr/sbin/nginx", "-c", folder / "nginx.conf", folder=folder))
        wait_for(address)
        yield {
            "WordPress": address,
            "WordPress, pages kept by PHP": address.replace(f":{port}", f":{kept_by_php}"),
            "WordPress, pages kept by nginx": address.replace(f":{port}", f":{kept_by_nginx}"),
        }


@contextmanager
def wagtail(folder: Path) -> Iterator[str]:
    """The address of the page: what `wagtail start` makes, run as production under the server that our site has."""
    python = folder / "environment" / "bin" / "python"
    site = folder / "site"
    site.mkdir()
    venv.create(folder / "environment", with_pip=True)
    packages = ["wagtail==8.*", f"gunicorn=={version_of('gunicorn')}"]

    def run(*command: str | Path, words: str | None = None) -> None:
        there = {**os.environ, "DJANGO_SETTINGS_MODULE": "peer.settings.production"}
        whole = [str(python), *(str(word) for word in command)]
        subprocess.run(
            whole, cwd=site, env=there, input=words, text=True, check=True, capture_output=True, timeout=PATIENCE
        )

    run("-m", "pip", "install", "--quiet", "--no-input", *packages)
    run(python.with_name("wagtail"), "start", "peer", ".")
    (site / "home" / "models.py").write_text(WAGTAIL_MODELS)
    (site / "home" / "templates" / "home" / "home_page.html").write_text(WAGTAIL_TEMPLATE)
    (site / "peer" / "settings" / "local.py").write_text(WAGTAIL_SETTINGS)
    run("manage.py", "makemigrations", "home")
    run("manage.py", "migrate")
    run("manage.py", "collectstatic", "--noinput")
    run("manage.py", "shell", "--no-imports", "--command", WAGTAIL_CONTENT, words=given())
    port = free_port()
    settings = {"DJANGO_SETTINGS_MODULE": "peer.settings.production"}
    with runs(python, *SERVER, f"--bind=127.0.0.1:{port}", "peer.wsgi", folder=site, more=settings):
        address = f"http://127.0.0.1:{port}/"
        wait_for(address)
        yield address


def version_of(package: str) -> str:
    from importlib.metadata import version

    return version(package)


def fetched(address: str) -> str:
    with urllib.request.urlopen(address, timeout=30) as answer:
        page = answer.read()
    there = page.count(COMMENT.strip().encode())
    return f"{answer.status}, {len(page)} bytes, {there} comments"


def main() -> None:
    with ExitStack() as stack:
        peers: dict[str, str] = {}
        lacks = what_wordpress_lacks()
        if lacks:
            say(f"No WordPress: Debian's {', '.join(lacks)} is not installed.")
        else:
            peers |= stack.enter_context(wordpress(open_folder(stack)))
        with suppress_failed("Wagtail"):
            peers["Wagtail"] = stack.enter_context(wagtail(open_folder(stack)))
        for name, address in peers.items():
            say(f"{name}: {fetched(address)}")
        if "--check" not in sys.argv:
            stack.enter_context(suppress(KeyboardInterrupt))
            reading = [sys.executable, str(ROOT / "tests" / "bench" / "measure_reading.py")]
            subprocess.run([*reading, *(f"{name}={address}" for name, address in peers.items())], check=True)


def open_folder(stack: ExitStack) -> Path:
    """Whoever runs as another account reads in it."""
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pugmark-peer-")))
    folder.chmod(0o755)
    return folder


@contextmanager
def suppress_failed(name: str) -> Iterator[None]:
    try:
        yield
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        say(f"No {name}: {' '.join(map(str, error.cmd))[:120]} failed. {str(error.stderr or '')[-400:]}")


if __name__ == "__main__":
    main()
