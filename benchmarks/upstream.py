"""The upstream of all candidates: nginx with constant JSON, which is never the bottleneck."""

from __future__ import annotations

import json
from pathlib import Path

from benchmarks.processes import Running, free_port, start
from benchmarks.requirements import program

ROWS = [
    {
        "id": 1000 + n,
        "symbol": "AAPL",
        "price": 189.5 + n,
        "quantity": 10 * n,
        "side": "BUY",
        "status": "Submitted",
        "account": "DU1234567",
        "exchange": "NASDAQ",
        "tif": "DAY",
        "filled": 0.0,
        "note": "x" * 8,
    }
    for n in range(8)
]
ORDERS = json.dumps({"orders": ROWS})
BIG = json.dumps({"orders": ROWS * 64})

CONFIGURATION = """
worker_processes 1;
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 4096; }}
http {{
  access_log off;
  keepalive_requests 1000000000;
  client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
  uwsgi_temp_path {folder}; scgi_temp_path {folder};
  upstream self {{ server 127.0.0.1:{port}; keepalive 256; }}
  server {{
    listen 127.0.0.1:{port};
    default_type application/json;
    location = /big {{ alias {folder}/big.json; }}
    location / {{ return 200 '{orders}'; }}
  }}
  server {{
    listen 127.0.0.1:{proxy_port};
    location / {{
      proxy_pass http://self; proxy_http_version 1.1; proxy_set_header Connection "";
    }}
  }}
}}
"""


def start_upstream(folder: Path) -> tuple[Running, int]:
    """nginx with the documents, and the port on which it proxies to itself: the physical limit."""
    nginx = program("nginx")
    if nginx is None:
        raise RuntimeError("nginx is not installed: apt-get install nginx-light")
    port, proxy_port = free_port(), free_port()
    (folder / "big.json").write_text(BIG)
    configuration = folder / "nginx.conf"
    configuration.write_text(
        CONFIGURATION.format(folder=folder, port=port, proxy_port=proxy_port, orders=ORDERS)
    )
    command = [nginx, "-c", str(configuration), "-e", str(folder / "error.log")]
    return start(command, port, folder / "nginx.log"), proxy_port
