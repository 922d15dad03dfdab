"""Opening a plain file and nothing else, in a folder that others write to, too."""

import errno
import os
import stat


class NotPlain(OSError):
    """What bears the name is a link, a pipe, a device or a folder."""


def plain(path: str, flags: int) -> int:
    """An ``opener``: a pipe would keep all others waiting, and a link leads out of the folder. Raises NotPlain."""
    try:
        opened = os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENXIO, errno.EISDIR):  # a link; a socket, or a device without a driver
            raise NotPlain(error.errno, error.strerror) from error
        raise
    if not stat.S_ISREG(os.fstat(opened).st_mode):
        os.close(opened)
        raise NotPlain(errno.EINVAL, os.strerror(errno.EINVAL))
    return opened
