from langchain_core.messages import HumanMessage, ToolMessage
from langchain_openai import ChatOpenAI, OpenAIEmbeddings

from common_tasks import CITY, PERSON, error_of, main, run_tool

TOOLS = [
    {"type": "function", "function": {"name": name, "description": name, "parameters": CITY}}
    for name in ("get_weather", "get_time")
]


def answer(message):
    usage = message.usage_metadata
    return [message.content, message.response_metadata["finish_reason"], usage["input_tokens"], usage["output_tokens"]]


def streamed(runnable, question):
    whole = None
    for chunk in runnable.stream(question):
        whole = chunk if whole is None else whole + chunk
    return whole


def tools(llm):
    bound = llm.bind_tools(TOOLS)
    question = HumanMessage("USETOOLS2")
    first = streamed(bound, [question])
    results = [
        ToolMessage(tool_call_id=call["id"], content=run_tool(call["name"], call["args"])) for call in first.tool_calls
    ]
    second = bound.invoke([question, first, *results])
    calls = [[call["name"], call["args"]] for call in first.tool_calls]
    return [calls, first.response_metadata["finish_reason"], second.content]


def tasks(url, key, upstreams):
    def llm(model, secret=key):
        return ChatOpenAI(model=model, base_url=f"{url}/v1", api_key=secret, max_retries=0, stream_usage=True)

    results = {}
    for name in upstreams:
        chat = llm(f"{name}-chat")
        structured = chat.with_structured_output({"title": "person", **PERSON}, method="json_schema", strict=True)
        results[name] = {
            "text": answer(chat.invoke("Hi")),
            "stream": answer(streamed(chat, "Hi")),
            "tools": tools(chat),
            "person": structured.invoke("Somebody"),
        }
        if name not in ("anthropic", "coder"):
            embeddings = OpenAIEmbeddings(
                model=f"{name}-embed",
                base_url=f"{url}/v1",
                api_key=key,
                dimensions=4,
                check_embedding_ctx_length=False,
            )
            results[name]["embeddings"] = embeddings.embed_documents(["a", "b"])
    return {
        "upstreams": results,
        "errors": {
            "wrong key": error_of(lambda: llm("openai-chat", "kp-wrong").invoke("Hi")),
            "unknown model": error_of(lambda: llm("nobody-has-it").invoke("Hi")),
            "limited": error_of(lambda: llm("openai-429r30-chat").invoke("Hi")),
            "broken stream": error_of(lambda: streamed(llm("google-errorevent-chat"), "Hi")),
        },
    }


main(tasks)
