"""JupyterLab in a container: reached from outside, at the folder that is kept."""

import os

c = get_config()  # noqa: F821
c.ServerApp.ip = "0.0.0.0"
c.ServerApp.open_browser = False
work = os.path.expanduser("~/work")
if os.path.isdir(work):
    c.ServerApp.root_dir = work
c.LanguageServerManager.autodetect = False
