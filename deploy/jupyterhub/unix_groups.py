"""Who is what in the course is said by the groups of the machine, and nowhere else.

JupyterHub's own lists only ever grow: somebody who was taken off `load_groups` keeps the right to
open the course's server. These groups are read at each login, and again every few minutes.
"""

import grp
import os
import pwd
from typing import Any

from jupyterhub.auth import Authenticator, PAMAuthenticator

PREFIXES = ("nbgrader-", "formgrade-")  # nbgrader's names for students and graders of a course


def groups_of(user: str) -> list[str]:
    """Return the courses' groups that a user of the machine is in; none for a stranger."""
    try:
        ids = os.getgrouplist(user, pwd.getpwnam(user).pw_gid)
    except KeyError:
        return []
    return sorted(
        group.gr_name
        for group in grp.getgrall()
        if group.gr_gid in ids and group.gr_name.startswith(PREFIXES)
    )


class UnixGroups(Authenticator):
    """Adds the groups to what another authenticator, named behind this one, finds out."""

    async def get_authenticated_user(self, handler: Any, data: Any) -> dict[str, Any] | None:
        """Log somebody in who is in a course; return None for anybody else."""
        model: dict[str, Any] | None = await super().get_authenticated_user(handler, data)
        if model is None:
            return None
        model["groups"] = groups_of(model["name"])
        return model if model["groups"] else None

    async def refresh_user(self, user: Any, handler: Any = None) -> bool:
        """Give somebody the groups of today; return False, so that the login ends, without any.

        A login ends by a page of the hub only. The course's server asks with a token and would go
        on, so the groups, and with them its rights, are taken here.
        """
        found = groups_of(user.name)
        user.sync_groups(found)
        return bool(found)


class UnixLogin(UnixGroups, PAMAuthenticator):
    """Logs in with the password of the machine."""
