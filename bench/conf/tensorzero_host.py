"""TensorZero's gateway as its Python wheel carries it: an HTTP server on native threads of this otherwise idle process."""
import sys
import threading

from openai import OpenAI
from tensorzero import patch_openai_client

client = patch_openai_client(OpenAI(api_key="x", base_url="http://127.0.0.1:1"), config_file=sys.argv[1], async_setup=False)
print("URL " + str(client.base_url).rstrip("/") + "/chat/completions", flush=True)
threading.Event().wait()
