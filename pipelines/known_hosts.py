"""Whether a server of SSH is the one that ``known_hosts`` names. The only door to paramiko.

fsspec believes every server by itself, and would give it the password.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import paramiko

FILES = (Path("~/.ssh/known_hosts"), Path("/etc/ssh/ssh_known_hosts"))


class KnownHosts(paramiko.MissingHostKeyPolicy):  # type: ignore[misc]  # paramiko has no types
    """Lets in who is in the files of OpenSSH, or in that which NACHLESE_KNOWN_HOSTS names."""

    def missing_host_key(self, client: paramiko.SSHClient, hostname: str, key: paramiko.PKey) -> None:
        """Raises SSHException where *hostname* ("name", or "[name]:port") is not known with this *key*."""
        stated = os.environ.get("NACHLESE_KNOWN_HOSTS")
        files = [Path(stated)] if stated else [file.expanduser() for file in FILES]
        known = paramiko.HostKeys()
        for file in files:
            with suppress(FileNotFoundError):
                known.load(str(file))
        if not known.check(hostname, key):
            what = "has another key than" if known.lookup(hostname) else "is not in"
            raise paramiko.SSHException(
                f"the server {hostname} {what} {' or '.join(map(str, files))}: compare {key.get_name()} "
                f"{key.fingerprint} with its own, and add it with ssh-keyscan"
            )
