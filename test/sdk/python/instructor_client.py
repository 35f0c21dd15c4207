import instructor
from openai import OpenAI
from pydantic import BaseModel

from common_tasks import error_of, main


class Person(BaseModel):
    name: str
    age: int


def person(client, model):
    reply = client.chat.completions.create(
        model=model, response_model=Person, max_retries=0, messages=[{"role": "user", "content": "Somebody"}]
    )
    return reply.model_dump()


def tasks(url, key, upstreams):
    """Both modes; a mode that fails tells the class of its error."""
    openai = OpenAI(base_url=f"{url}/v1", api_key=key, max_retries=0)
    modes = [instructor.Mode.TOOLS, instructor.Mode.JSON_SCHEMA]
    clients = {mode.name: instructor.from_openai(openai, mode=mode) for mode in modes}
    return {
        name: {
            mode: error_of(lambda: person(client, f"{name}-chat")) or person(client, f"{name}-chat")
            for mode, client in clients.items()
        }
        for name in upstreams
    }


main(tasks)
