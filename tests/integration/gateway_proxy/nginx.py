"""Debian's nginx as the site behind the gateway: HTTP/1.1 on one port, h2c on another."""
import ctypes
import os
import shutil
import signal
import socket
import subprocess

PROGRAM = shutil.which("nginx", path="/usr/sbin:/usr/bin")

CONFIGURATION = """
{user}
daemon off;
worker_processes 1;
error_log {folder}/error.log;
pid {folder}/nginx.pid;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  client_max_body_size 0;
  large_client_header_buffers 4 32k;
  server {{
    listen 127.0.0.1:{http1};
    listen 127.0.0.1:{h2c} http2;
    location /files/ {{ root {folder}; dav_methods PUT; create_full_put_path on; }}
    location / {{
      return 200 "$server_protocol|$host|$uri|$http_x_forwarded_for|$http_client_cert|$http_signet_identities";
    }}
  }}
}}
"""


def _die_with_parent():
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG


class Nginx:
    """`folder` is its own; it is the caller's to remove."""

    def __init__(self, folder):
        # It takes over sockets that listen already, as if from an older nginx: no port is guessed.
        listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
        self.http1, self.h2c = [each.getsockname()[1] for each in listeners]
        folder.mkdir()
        configuration = folder / "nginx.conf"
        user = "user root;" if os.geteuid() == 0 else ""  # the folder is nobody else's
        configuration.write_text(CONFIGURATION.format(folder=folder, http1=self.http1, h2c=self.h2c,
                                                      user=user))
        numbers = [each.fileno() for each in listeners]
        self._process = subprocess.Popen(
            [PROGRAM, "-p", folder, "-c", configuration, "-e", folder / "error.log"],
            pass_fds=numbers, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, preexec_fn=_die_with_parent,
            env={**os.environ, "NGINX": "".join(f"{number};" for number in numbers)})
        for each in listeners:
            each.close()

    def close(self):
        self._process.terminate()
        self._process.wait(60)
