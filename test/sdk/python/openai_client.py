import json

from openai import OpenAI

from common_tasks import CITY, PERSON, PNG, error_of, main, run_tool

TOOLS = [
    {"type": "function", "function": {"name": name, "parameters": CITY}} for name in ("get_weather", "get_time")
]


def chat(client, model):
    reply = client.chat.completions.create(model=model, messages=[{"role": "user", "content": "Hi"}])
    choice = reply.choices[0]
    return [choice.message.content, choice.finish_reason, reply.usage.prompt_tokens, reply.usage.completion_tokens]


def stream(client, model):
    text, finish, usage = "", None, None
    for chunk in client.chat.completions.create(
        model=model,
        messages=[{"role": "user", "content": "Hi"}],
        stream=True,
        stream_options={"include_usage": True},
    ):
        for choice in chunk.choices:
            text += choice.delta.content or ""
            finish = choice.finish_reason or finish
        usage = chunk.usage or usage
    return [text, finish, usage.prompt_tokens, usage.completion_tokens]


def tools(client, model):
    messages = [{"role": "user", "content": "USETOOLS2"}]
    with client.chat.completions.stream(model=model, messages=messages, tools=TOOLS) as events:
        first = events.get_final_completion().choices[0]
    calls = [(call.id, call.function.name, json.loads(call.function.arguments)) for call in first.message.tool_calls]
    messages.append(first.message.model_dump(exclude_none=True))
    messages += [{"role": "tool", "tool_call_id": id, "content": run_tool(name, args)} for id, name, args in calls]
    second = client.chat.completions.create(model=model, messages=messages, tools=TOOLS)
    return [[[name, args] for _, name, args in calls], first.finish_reason, second.choices[0].message.content]


def image(client, model):
    content = [
        {"type": "text", "text": "What is this?"},
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}},
    ]
    reply = client.chat.completions.create(model=model, messages=[{"role": "user", "content": content}])
    return reply.choices[0].message.content


def person(client, model):
    reply = client.chat.completions.create(
        model=model,
        messages=[{"role": "user", "content": "Somebody"}],
        response_format={
            "type": "json_schema",
            "json_schema": {"name": "person", "strict": True, "schema": PERSON},
        },
    )
    return json.loads(reply.choices[0].message.content)


def responses(client, model):
    reply = client.responses.create(model=model, input="Hi")
    with client.responses.stream(model=model, input="Hi") as events:
        final = events.get_final_response()
    return [reply.output_text, final.output_text, final.status, final.usage.total_tokens]


def embeddings(client, model):
    coded = client.embeddings.create(model=model, input=["a", "b"], dimensions=4)
    floats = client.embeddings.create(model=model, input="a", dimensions=4, encoding_format="float")
    return [[item.embedding for item in coded.data], floats.data[0].embedding]


def tasks(url, key, upstreams):
    client = OpenAI(base_url=f"{url}/v1", api_key=key, max_retries=0)
    if not upstreams:
        return [model.id for model in client.models.list()]
    results = {}
    for name in upstreams:
        model = f"{name}-chat"
        results[name] = {
            "text": chat(client, model),
            "stream": stream(client, model),
            "tools": tools(client, model),
            "image": image(client, model),
            "person": person(client, model),
            "responses": responses(client, model),
        }
        if name not in ("anthropic", "coder"):
            results[name]["embeddings"] = embeddings(client, f"{name}-embed")
    wrong = OpenAI(base_url=f"{url}/v1", api_key="kp-wrong", max_retries=0)
    return {
        "upstreams": results,
        "errors": {
            "wrong key": error_of(lambda: chat(wrong, "openai-chat")),
            "unknown model": error_of(lambda: chat(client, "nobody-has-it")),
            "limited": error_of(lambda: chat(client, "openai-429r30-chat")),
            "too long": error_of(lambda: chat(client, "anthropic-toolong-chat")),
            "broken stream": error_of(lambda: stream(client, "google-errorevent-chat")),
        },
    }


main(tasks)
