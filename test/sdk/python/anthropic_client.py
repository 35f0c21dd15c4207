import json

from anthropic import Anthropic

from common_tasks import CITY, PERSON, PNG, error_of, main, run_tool

TOOLS = [{"name": name, "input_schema": CITY} for name in ("get_weather", "get_time")]


def text_of(message):
    return "".join(block.text for block in message.content if block.type == "text")


def answer(message):
    usage = message.usage
    return [
        text_of(message),
        message.stop_reason,
        usage.input_tokens + (usage.cache_read_input_tokens or 0),
        usage.output_tokens,
    ]


def ask(client, model, content, **more):
    messages = content if isinstance(content, list) else [{"role": "user", "content": content}]
    return client.messages.create(model=model, max_tokens=1000, messages=messages, **more)


def stream(client, model):
    messages = [{"role": "user", "content": "Hi"}]
    with client.messages.stream(model=model, max_tokens=1000, messages=messages) as events:
        return answer(events.get_final_message())


def tools(client, model):
    messages = [{"role": "user", "content": "USETOOLS2"}]
    with client.messages.stream(model=model, max_tokens=1000, messages=messages, tools=TOOLS) as events:
        first = events.get_final_message()
    calls = [block for block in first.content if block.type == "tool_use"]
    results = [
        {"type": "tool_result", "tool_use_id": call.id, "content": run_tool(call.name, call.input)} for call in calls
    ]
    messages += [{"role": "assistant", "content": first.content}, {"role": "user", "content": results}]
    second = ask(client, model, messages, tools=TOOLS)
    return [[[call.name, call.input] for call in calls], first.stop_reason, text_of(second)]


def image(client, model):
    source = {"type": "base64", "media_type": "image/png", "data": PNG}
    content = [{"type": "image", "source": source}, {"type": "text", "text": "What is this?"}]
    return text_of(ask(client, model, [{"role": "user", "content": content}]))


def person(client, model):
    config = {"format": {"type": "json_schema", "schema": PERSON}}
    return json.loads(text_of(ask(client, model, "Somebody", output_config=config)))


def tasks(url, key, upstreams):
    client = Anthropic(base_url=url, api_key=key, max_retries=0)
    if not upstreams:
        return [model.id for model in client.models.list()]
    results = {}
    for name in upstreams:
        model = f"{name}-chat"
        results[name] = {
            "text": answer(ask(client, model, "Hi")),
            "stream": stream(client, model),
            "tools": tools(client, model),
            "image": image(client, model),
            "person": person(client, model),
        }
    wrong = Anthropic(base_url=url, api_key="kp-wrong", max_retries=0)
    count = client.messages.count_tokens(model="anthropic-chat", messages=[{"role": "user", "content": "Hi"}])
    return {
        "upstreams": results,
        "count": count.input_tokens,
        "errors": {
            "wrong key": error_of(lambda: ask(wrong, "openai-chat", "Hi")),
            "unknown model": error_of(lambda: ask(client, "nobody-has-it", "Hi")),
            "limited": error_of(lambda: ask(client, "openai-429r30-chat", "Hi")),
            "too long": error_of(lambda: ask(client, "anthropic-toolong-chat", "Hi")),
            "broken stream": error_of(lambda: stream(client, "google-errorevent-chat")),
        },
    }


main(tasks)
