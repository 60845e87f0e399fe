"""The app: what a browser sees and what a program can call over HTTP. Gradio only; no torch, no Chroma here.

Gradio and the Hub client read these variables once, when they are first imported, so they are set here and nowhere
else: nothing that a visitor does is reported to anyone.
"""

import os

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
