"""A JupyterHub that starts one user's server as it would in a container, and asks it
for its kernels. The Hub and the server are real; only the proxy, which would hand
browsers on, is left out.
"""

import asyncio
import json
import logging
import os
import sys
import tempfile
import urllib.request
import warnings

warnings.simplefilter("ignore")  # of libraries about libraries

from jupyterhub.app import JupyterHub
from jupyterhub.proxy import Proxy
from jupyterhub.spawner import SimpleLocalProcessSpawner
from traitlets.config import Config

ENTRYPOINT = os.environ["GRADBOOK_ROOT"] + "/docker/entrypoint.sh"


class NoProxy(Proxy):
    """Remembers the routes that it is told of."""

    should_start = False

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.routes = {}

    async def add_route(self, routespec, target, data):
        self.routes[routespec] = {"routespec": routespec, "target": target, "data": data}

    async def delete_route(self, routespec):
        self.routes.pop(routespec, None)

    async def get_all_routes(self):
        return self.routes


class Spawner(SimpleLocalProcessSpawner):
    """Starts the server by the image's entrypoint, as a container would."""

    cmd = [ENTRYPOINT, "jupyterhub-singleuser"]


def ask(url, token, method="GET"):
    request = urllib.request.Request(url, method=method, headers={"Authorization": "token " + token})
    with urllib.request.urlopen(request, timeout=60) as reply:
        body = reply.read()
        return json.loads(body) if body else None


async def main():
    folder = tempfile.mkdtemp()
    os.chdir(folder)
    token = "a-token-for-this-try-only"
    c = Config()
    c.JupyterHub.proxy_class = NoProxy
    c.JupyterHub.spawner_class = Spawner
    c.JupyterHub.authenticator_class = "null"
    c.JupyterHub.bind_url = "http://127.0.0.1:8000"
    c.JupyterHub.hub_bind_url = "http://127.0.0.1:8081"
    c.JupyterHub.db_url = "sqlite://"
    c.JupyterHub.log_level = 40
    logging.getLogger("alembic").setLevel(logging.ERROR)
    c.Authenticator.allow_all = True
    c.Spawner.start_timeout = c.Spawner.http_timeout = 60
    c.JupyterHub.services = [{"name": "try", "api_token": token}]
    c.JupyterHub.load_roles = [{"name": "try", "services": ["try"], "scopes": ["admin:users", "admin:servers", "tokens", "access:servers", "list:users"]}]
    hub = JupyterHub(config=c)
    await hub.initialize([])
    await hub.start()
    loop = asyncio.get_running_loop()
    api = "http://127.0.0.1:8081/hub/api"

    def call(*args):
        return loop.run_in_executor(None, ask, *args)

    await call(api + "/users/student", token, "POST")
    await call(api + "/users/student/server", token, "POST")
    for _ in range(600):
        user = await call(api + "/users/student", token)
        if user["servers"].get("", {}).get("ready"):
            break
        await asyncio.sleep(0.1)
    else:
        sys.exit("the server did not become ready")
    server = hub.users["student"].spawner.server
    found = await call(server.url + "api/kernelspecs", token)
    names = sorted(found["kernelspecs"])
    print("the Hub's server at", server.base_url, "has the kernels", ", ".join(names), flush=True)
    await call(api + "/users/student/server", token, "DELETE")
    if "gradbook" not in names:
        sys.exit("the kernel is missing")
    os._exit(0)  # the Hub would wait for its proxy


asyncio.run(main())
