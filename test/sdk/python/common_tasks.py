"""What every client of this folder is asked to do, and how a program reports it."""

import json
import sys

CITY = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
PERSON = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "age": {"type": "integer"}},
    "required": ["name", "age"],
    "additionalProperties": False,
}
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


def run_tool(name, arguments):
    return f"{name} of {arguments['city']}"


def error_of(task):
    """Status or class of the error that a task raises; `None` when it raises nothing."""
    try:
        task()
    except Exception as error:
        for name in ("status_code", "code"):
            value = getattr(error, name, None)
            if isinstance(value, int):
                return value
        return type(error).__name__
    return None


def main(tasks):
    """`program URL KEY UPSTREAM…` prints the results of every task for every upstream; without upstreams the list of models."""
    url, key, *upstreams = sys.argv[1:]
    print(json.dumps(tasks(url, key, upstreams)))
