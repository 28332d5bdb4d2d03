"""Who else on this machine can read or write a file. On Windows no mode tells it, and nothing is said."""

import os
import stat
import sys


def anybody_can_write(found: os.stat_result) -> bool:
    """Whether every user of this machine can."""
    return sys.platform != "win32" and bool(found.st_mode & stat.S_IWOTH)


def others_can_write(found: os.stat_result) -> bool:
    """Whether another than the owner can; a group of the owner's own, without other members, is nobody."""
    if sys.platform == "win32":
        return False
    if found.st_mode & stat.S_IWOTH:
        return True
    return bool(found.st_mode & stat.S_IWGRP) and not _is_owners_own(found)


def others_can_read(found: os.stat_result) -> bool:
    """Whether another than the owner can; such a group is nobody, and that of root's file whom root lets."""
    if sys.platform == "win32":
        return False
    if found.st_mode & stat.S_IROTH:
        return True
    return bool(found.st_mode & stat.S_IRGRP) and found.st_uid != 0 and not _is_owners_own(found)


def _is_owners_own(found: os.stat_result) -> bool:
    """Whether its group is a user-private one, as many systems make with each user."""
    import grp  # noqa: PLC0415  (POSIX's only)
    import pwd  # noqa: PLC0415  (POSIX's only)

    try:
        owner, group = pwd.getpwuid(found.st_uid), grp.getgrgid(found.st_gid)
    except KeyError:
        return False
    return group.gr_name == owner.pw_name and set(group.gr_mem) <= {owner.pw_name}
