"""Debian's nginx, with servers of the test's on ports of its own."""
import ctypes
import os
import shutil
import signal
import socket
import subprocess

PROGRAM = shutil.which("nginx", path="/usr/sbin:/usr/bin")

CONFIGURATION = """
{user}
env OPENSSL_CONF;  # for keys of the agent
env SIGNET_RUNTIME_DIR;
daemon off;
worker_processes {workers};
error_log {folder}/nginx-error.log;
pid {folder}/nginx.pid;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  client_body_temp_path {folder}/nginx-body;
  proxy_temp_path {folder}/nginx-proxy;
  fastcgi_temp_path {folder}/nginx-fastcgi;
  uwsgi_temp_path {folder}/nginx-uwsgi;
  scgi_temp_path {folder}/nginx-scgi;
  {servers}
}}
"""


def _die_with_parent():
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG


class Nginx:
    """`servers` makes what is in http {} of its ports. `folder` is the caller's to remove; paths are
    relative to it."""

    def __init__(self, folder, servers, ports=1, workers=1, environment=None):
        # It takes over sockets that listen already, as if from an older nginx: no port is guessed.
        listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(ports)]
        for each in listeners:
            each.setblocking(False)  # as nginx takes for granted: only one worker gets a connection
        self.ports = [each.getsockname()[1] for each in listeners]
        self._log = folder / "nginx-error.log"
        configuration = folder / "nginx.conf"
        configuration.write_text(CONFIGURATION.format(
            folder=folder, workers=workers, servers=servers(*self.ports),
            user="user root;" if os.geteuid() == 0 else ""))  # the folder is nobody else's
        numbers = [each.fileno() for each in listeners]
        self._process = subprocess.Popen(
            [PROGRAM, "-p", folder, "-c", configuration, "-e", self._log], pass_fds=numbers, cwd=folder,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            preexec_fn=_die_with_parent,
            env={**(environment or os.environ), "NGINX": "".join(f"{number};" for number in numbers)})
        for each in listeners:
            each.close()

    def log(self):
        return self._log.read_text()

    def close(self):
        self._process.terminate()
        self._process.wait(60)
