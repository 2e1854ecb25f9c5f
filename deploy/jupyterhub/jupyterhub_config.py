"""JupyterHub for a course on one machine; docs/jupyterhub.md says how it is installed.

The hub runs as root, since it starts everybody's server as that person's own user. Whoever works
here has the rights of a user of the machine and no others: a student's server cannot read the
course, and the course's server, which grades, cannot read a student's home.

To a browser, whatever has one host name is one site: a page of a student's server could read and
change the course in the name of a grader who opens it. So each server has a host name of its own.
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
STUDENTS, GRADERS = f"nbgrader-{COURSE}", f"formgrade-{COURSE}"  # groups of the machine

if not HOST:
    raise SystemExit(
        "JupyterHub does not start: HOST in jupyterhub_config.py is empty. Without a host name for "
        "each server, a page of a student's server can act in a grader's name. Set HOST to the "
        'hub\'s address, such as "https://hub.example.edu"; see docs/jupyterhub.md.'
    )

HERE = Path(__file__).resolve().parent
PROGRAMS = Path(sys.executable).parent
sys.path.insert(0, str(HERE))  # for unix_groups and limited_spawner
# nbgrader starts other programs by name.
ENVIRONMENT = {"PATH": f"{PROGRAMS}:/usr/local/bin:/usr/bin:/bin", "JUPYTERHUB_DEFAULT_URL": "/lab"}

# Behind a web server that speaks TLS.
c.JupyterHub.bind_url = "http://127.0.0.1:8000"
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
c.Spawner.cmd = [str(PROGRAMS / "jupyterhub-singleuser")]
c.Spawner.environment = {**ENVIRONMENT, "JUPYTER_CONFIG_PATH": str(HERE / "student")}
c.Spawner.http_timeout = 60

# The course's server: formgrader, the desk and JupyterLab. The role below lets graders in, and
# nobody else; so the hub need not ask each of them whether it may say who they are.
c.JupyterHub.services = [
    {
        "name": COURSE,
        "url": "http://127.0.0.1:9999",
        "command": [
            str(PROGRAMS / "jupyterhub-singleuser"),
            f"--ServerApp.root_dir={COURSE_FOLDER}",
        ],
        "user": COURSE_USER,
        "cwd": COURSE_FOLDER,
        "environment": ENVIRONMENT,
        "oauth_no_confirm": True,
    }
]
c.JupyterHub.load_roles = [
    {"name": GRADERS, "groups": [GRADERS], "scopes": [f"access:services!service={COURSE}"]},
]
