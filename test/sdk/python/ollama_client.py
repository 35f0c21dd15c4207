import json

from ollama import Client

from common_tasks import CITY, PERSON, PNG, error_of, main, run_tool

TOOLS = [
    {"type": "function", "function": {"name": name, "description": name, "parameters": CITY}}
    for name in ("get_weather", "get_time")
]
HI = [{"role": "user", "content": "Hi"}]


def text(client, model):
    reply = client.chat(model=model, messages=HI)
    return [reply.message.content, reply.done_reason, reply.prompt_eval_count, reply.eval_count]


def stream(client, model):
    lines = list(client.chat(model=model, messages=HI, stream=True))
    last = lines[-1]
    return ["".join(line.message.content or "" for line in lines), last.done_reason, last.prompt_eval_count, last.eval_count]


def tools(client, model):
    messages = [{"role": "user", "content": "USETOOLS2"}]
    first = client.chat(model=model, messages=messages, tools=TOOLS)
    calls = [(call.function.name, dict(call.function.arguments)) for call in first.message.tool_calls]
    messages.append(first.message)
    messages += [{"role": "tool", "tool_name": name, "content": run_tool(name, args)} for name, args in calls]
    second = client.chat(model=model, messages=messages, tools=TOOLS)
    return [[list(call) for call in calls], first.done_reason, second.message.content]


def image(client, model):
    messages = [{"role": "user", "content": "What is this?", "images": [PNG]}]
    return client.chat(model=model, messages=messages).message.content


def person(client, model):
    messages = [{"role": "user", "content": "Somebody"}]
    return json.loads(client.chat(model=model, messages=messages, format=PERSON).message.content)


def tasks(url, key, upstreams):
    client = Client(host=url, headers={"authorization": f"Bearer {key}"})
    if not upstreams:
        return [model.model for model in client.list().models]
    results = {}
    for name in upstreams:
        model = f"{name}-chat"
        results[name] = {
            "text": text(client, model),
            "stream": stream(client, model),
            "tools": tools(client, model),
            "image": image(client, model),
            "person": person(client, model),
        }
        if name not in ("anthropic", "coder"):
            embedded = client.embed(model=f"{name}-embed", input=["a", "b"], dimensions=4)
            results[name]["embeddings"] = [list(vector) for vector in embedded.embeddings]
    wrong = Client(host=url, headers={"authorization": "Bearer kp-wrong"})
    return {
        "upstreams": results,
        "errors": {
            "wrong key": error_of(lambda: text(wrong, "openai-chat")),
            "unknown model": error_of(lambda: text(client, "nobody-has-it")),
            "limited": error_of(lambda: text(client, "openai-429r30-chat")),
            "too long": error_of(lambda: text(client, "anthropic-toolong-chat")),
            "broken stream": error_of(lambda: stream(client, "google-errorevent-chat")),
        },
    }


main(tasks)
