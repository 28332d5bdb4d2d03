"""Who else on this machine can read or write a file. On Windows no mode tells it, and nothing is said."""

import os
import stat
import sys

_OTHERS_READ = stat.S_IRGRP | stat.S_IROTH


def others_can_write(found: os.stat_result) -> bool:
    """Whether another than the owner can; a group of the owner's own, without other members, is nobody."""
    if sys.platform == "win32":
        return False
    if found.st_mode & stat.S_IWOTH:
        return True
    return bool(found.st_mode & stat.S_IWGRP) and not _is_owners_own(found)


def others_can_read(found: os.stat_result) -> bool:
    """Whether another than the owner can; the group of a file of root's is whom root lets read it."""
    if sys.platform == "win32":
        return False
    forbidden = stat.S_IROTH if found.st_uid == 0 else _OTHERS_READ
    return bool(found.st_mode & forbidden)


def _is_owners_own(found: os.stat_result) -> bool:
    """Whether its group is a user-private one, as many systems make with each user."""
    import grp  # noqa: PLC0415  (POSIX's only)
    import pwd  # noqa: PLC0415  (POSIX's only)

    try:
        owner, group = pwd.getpwuid(found.st_uid), grp.getgrgid(found.st_gid)
    except KeyError:
        return False
    return group.gr_name == owner.pw_name and set(group.gr_mem) <= {owner.pw_name}
