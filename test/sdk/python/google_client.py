import asyncio
import base64
import json

from google import genai
from google.genai import types

from common_tasks import PERSON, PNG, error_of, main


def usage_of(reply):
    return [reply.usage_metadata.prompt_token_count, reply.usage_metadata.candidates_token_count]


def text(client, model):
    reply = client.models.generate_content(model=model, contents="Hi")
    return [reply.text, reply.candidates[0].finish_reason.value, *usage_of(reply)]


def stream(client, model):
    chunks = list(client.models.generate_content_stream(model=model, contents="Hi"))
    return ["".join(chunk.text or "" for chunk in chunks), chunks[-1].candidates[0].finish_reason.value, *usage_of(chunks[-1])]


def tools(client, model):
    """The SDK calls the function and asks again by itself."""
    called = []

    def get_weather(city: str) -> str:
        """Weather of a city"""
        called.append(city)
        return f"get_weather of {city}"

    config = types.GenerateContentConfig(tools=[get_weather])
    reply = client.models.generate_content(model=model, contents="USETOOL", config=config)
    return [called, reply.text]


def image(client, model):
    picture = types.Part.from_bytes(data=base64.b64decode(PNG), mime_type="image/png")
    return client.models.generate_content(model=model, contents=[picture, "What is this?"]).text


def person(client, model):
    config = types.GenerateContentConfig(response_mime_type="application/json", response_json_schema=PERSON)
    return json.loads(client.models.generate_content(model=model, contents="Somebody", config=config).text)


async def asynchronously(client, model):
    return (await client.aio.models.generate_content(model=model, contents="Hi")).text


def embeddings(client, model):
    config = types.EmbedContentConfig(output_dimensionality=4)
    reply = client.models.embed_content(model=model, contents=["a", "b"], config=config)
    return [embedding.values for embedding in reply.embeddings]


def client_of(url, key):
    return genai.Client(api_key=key, http_options=types.HttpOptions(base_url=url))


def tasks(url, key, upstreams):
    client = client_of(url, key)
    if not upstreams:
        return [model.name for model in client.models.list()]
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
            results[name]["embeddings"] = embeddings(client, f"{name}-embed")
    wrong = client_of(url, "kp-wrong")
    return {
        "upstreams": results,
        "async": asyncio.run(asynchronously(client, "google-chat")),
        "count": client.models.count_tokens(model="google-chat", contents="Hi").total_tokens,
        "errors": {
            "wrong key": error_of(lambda: text(wrong, "openai-chat")),
            "unknown model": error_of(lambda: text(client, "nobody-has-it")),
            "limited": error_of(lambda: text(client, "openai-429r30-chat")),
            "too long": error_of(lambda: text(client, "anthropic-toolong-chat")),
            "broken stream": error_of(lambda: stream(client, "google-errorevent-chat")),
        },
    }


main(tasks)
