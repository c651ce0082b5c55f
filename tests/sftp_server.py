"""A server of SSH on loopback that serves a folder by SFTP to one user; by paramiko, which is also the client."""

from __future__ import annotations

import os
import socket
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

import paramiko
from paramiko import SFTP_OK, SFTPAttributes, SFTPHandle, SFTPServer, SFTPServerInterface
from paramiko.common import AUTH_FAILED, AUTH_SUCCESSFUL, OPEN_SUCCEEDED


class Files(SFTPServerInterface):
    """The folder ``root``."""

    root: Path

    def here(self, path: str) -> Path:
        return self.root / self.canonicalize(path).lstrip("/")

    def list_folder(self, path: str) -> Any:
        return self.tried(lambda: [self.about(file) for file in self.here(path).iterdir()])

    def stat(self, path: str) -> Any:
        return self.tried(lambda: self.about(self.here(path)))

    lstat = stat

    def remove(self, path: str) -> Any:
        return self.tried(self.here(path).unlink)

    def rename(self, old: str, new: str) -> Any:
        return self.tried(lambda: self.here(old).rename(self.here(new)))

    posix_rename = rename

    def mkdir(self, path: str, attributes: Any) -> Any:
        return self.tried(self.here(path).mkdir)

    def open(self, path: str, flags: int, attributes: Any) -> Any:
        return self.tried(lambda: self.opened(path, flags))

    def opened(self, path: str, flags: int) -> SFTPHandle:
        mode = "r+b" if flags & (os.O_WRONLY | os.O_RDWR) else "rb"
        number = os.open(self.here(path), flags, 0o600)
        handle = SFTPHandle(flags)
        handle.readfile = handle.writefile = os.fdopen(number, mode)
        handle.stat = lambda: SFTPAttributes.from_stat(os.fstat(number))
        return handle

    def about(self, file: Path) -> SFTPAttributes:
        return SFTPAttributes.from_stat(file.stat(), file.name)

    @staticmethod
    def tried(work: Any) -> Any:
        try:
            found = work()
        except OSError as error:
            return SFTPServer.convert_errno(error.errno)
        return SFTP_OK if found is None or isinstance(found, Path) else found


class SftpServer(paramiko.ServerInterface):
    """``with SftpServer(folder, user, password) as server``; ``connections`` counts, ``passwords`` is what was said."""

    def __init__(self, folder: Path, user: str, password: str):
        self.user, self.password = user, password
        self.files = type("Served", (Files,), {"root": folder})
        self.key, self.connections, self.passwords = paramiko.ECDSAKey.generate(), 0, []
        self.transports: list[paramiko.Transport] = []

    def address(self, place: str) -> str:
        return f"sftp://{self.user}:{self.password}@127.0.0.1:{self.port}/{place}"

    def known_as(self, other: bool = False) -> str:
        key = paramiko.ECDSAKey.generate() if other else self.key
        return f"[127.0.0.1]:{self.port} {key.get_name()} {key.get_base64()}\n"

    def cut_off(self) -> None:
        for transport in self.transports:
            transport.close()
            transport.join()

    def __enter__(self) -> SftpServer:
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.port = self.listening.getsockname()[1]
        self.accepting = threading.Thread(target=self.accept)
        self.accepting.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.listening.shutdown(socket.SHUT_RDWR)
        self.accepting.join()
        self.listening.close()
        self.cut_off()

    def accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self.listening.accept()
                self.connections += 1
                transport = paramiko.Transport(connection)
                self.transports.append(transport)
                transport.add_server_key(self.key)
                transport.set_subsystem_handler("sftp", SFTPServer, self.files)
                with suppress(paramiko.SSHException, EOFError):
                    transport.start_server(event=threading.Event(), server=self)

    # what paramiko asks

    def get_allowed_auths(self, username: str) -> str:
        return "password"

    def check_auth_password(self, username: str, password: str) -> int:
        self.passwords.append(password)
        return AUTH_SUCCESSFUL if (username, password) == (self.user, self.password) else AUTH_FAILED

    def check_channel_request(self, kind: str, chanid: int) -> int:
        return OPEN_SUCCEEDED
