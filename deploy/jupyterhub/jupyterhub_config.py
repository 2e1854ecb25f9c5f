"""JupyterHub for a course on one machine; docs/jupyterhub.md says how it is installed.

The hub runs as root, since it starts everybody's server as that person's own user. Whoever works
here has the rights of a user of the machine and no others: a student's server cannot read the
course, and the course's server, which grades, cannot read a student's home.

To a browser, whatever has one host name is one site: a page of a student's server could read and
change the course in the name of a grader who opens it. So each server has a host name of its own.

Whoever listens where a server should be gets what browsers send to it. So no trusted server listens
where a student could while it is down: only root can open the ports below, and they are below 1024.
"""

import sys
from pathlib import Path

c = get_config()

# The hub's address, such as "https://hub.example.edu". The names below it, ada.hub.example.edu and
# so on, must lead here too: by a wildcard in the DNS, and a wildcard certificate.
HOST = ""
COURSE = "intro-ml"  # nbgrader's course_id
COURSE_USER = f"course-{COURSE}"  # owns the course, and runs the server that grades
COURSE_FOLDER = f"/srv/{COURSE}/course"
COURSE_PORT = 303
STUDENTS, GRADERS = f"nbgrader-{COURSE}", f"formgrade-{COURSE}"  # groups of the machine

if not HOST:
    raise SystemExit(
        "JupyterHub does not start: HOST in jupyterhub_config.py is empty. Without a host name for "
        "each server, a page of a student's server can act in a grader's name. Set HOST to the "
        'hub\'s address, such as "https://hub.example.edu"; see docs/jupyterhub.md.'
    )

# Ports that no program of Linux takes by chance: those for which it asks begin at 512.
PROXY_PORT, PROXY_API_PORT, HUB_PORT = 300, 301, 302
FIRST_FOR_ALL = int(Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text())
if max(PROXY_PORT, PROXY_API_PORT, HUB_PORT, COURSE_PORT) >= FIRST_FOR_ALL:
    raise SystemExit(
        f"JupyterHub does not start: all users may open the ports from {FIRST_FOR_ALL} on, so a "
        "student could take a port of the hub or of the course while it is down. Type `sysctl "
        "net.ipv4.ip_unprivileged_port_start=1024`, and remove the setting from /etc/sysctl.d."
    )

HERE = Path(__file__).resolve().parent
PYTHON = Path(sys.executable)
sys.path.insert(0, str(HERE))  # for unix_groups and limited_spawner
# nbgrader starts other programs by name.
ENVIRONMENT = {
    "PATH": f"{PYTHON.parent}:/usr/local/bin:/usr/bin:/bin",
    "JUPYTERHUB_DEFAULT_URL": "/lab",
}

# Behind a web server that speaks TLS.
c.JupyterHub.bind_url = f"http://127.0.0.1:{PROXY_PORT}"
c.ConfigurableHTTPProxy.api_url = f"http://127.0.0.1:{PROXY_API_PORT}"
c.JupyterHub.hub_bind_url = f"http://127.0.0.1:{HUB_PORT}"
c.JupyterHub.subdomain_host = HOST
c.JupyterHub.cookie_host_prefix_enabled = HOST.startswith("https://")
c.JupyterHub.cookie_secret_file = "/var/lib/jupyterhub/cookie_secret"
c.JupyterHub.db_url = "sqlite:////var/lib/jupyterhub/jupyterhub.sqlite"
c.ConfigurableHTTPProxy.command = [str(HERE / "node_modules/.bin/configurable-http-proxy")]
c.ConfigurableHTTPProxy.pid_file = "/var/lib/jupyterhub/proxy.pid"

c.JupyterHub.authenticator_class = "unix_groups.UnixLogin"
c.Authenticator.manage_groups = True
c.Authenticator.auth_refresh_age = 300
c.PAMAuthenticator.allowed_groups = {STUDENTS, GRADERS}
c.PAMAuthenticator.open_sessions = False

# Everybody's own server. The settings in student/ are found before the environment's.
c.JupyterHub.spawner_class = "limited_spawner.LimitedSpawner"
c.LimitedSpawner.processes = 500  # and threads, of one person
c.LimitedSpawner.memory_mb = 4000  # of each process
c.LimitedSpawner.cmd = [str(PYTHON), str(HERE / "singleuser.py")]
c.Spawner.environment = {**ENVIRONMENT, "JUPYTER_CONFIG_PATH": str(HERE / "student")}
c.Spawner.http_timeout = 60

# The course's server: formgrader, the desk and JupyterLab. The role below lets graders in, and
# nobody else; so the hub need not ask each of them whether it may say who they are. It begins as
# root, which opens its port, and becomes the course's user.
c.JupyterHub.services = [
    {
        "name": COURSE,
        "url": f"http://127.0.0.1:{COURSE_PORT}",
        "command": [
            str(PYTHON),
            str(HERE / "course_server.py"),
            COURSE_USER,
            f"--ServerApp.root_dir={COURSE_FOLDER}",
        ],
        "cwd": COURSE_FOLDER,
        "environment": ENVIRONMENT,
        "oauth_no_confirm": True,
    }
]
c.JupyterHub.load_roles = [
    {"name": GRADERS, "groups": [GRADERS], "scopes": [f"access:services!service={COURSE}"]},
]
