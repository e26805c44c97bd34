"""Writes the golden outputs of the small templates: python3 generate_snippets.py DIRECTORY."""

import json
import pathlib
import sys

import grammar
import reference
import snippets


def cases():
    for expression in snippets.EXPRESSIONS:
        yield "{{ " + expression + " }}"
    yield from snippets.TEMPLATES
    yield from grammar.templates(seed=20261123, count=1500)


def main():
    directory = pathlib.Path(sys.argv[1])
    seen = set()
    with (directory / "snippets.jsonl").open("w", encoding="utf-8") as out:
        out.write(json.dumps({"variables": snippets.VARIABLES}, ensure_ascii=True) + "\n")
        for template in cases():
            if template in seen:
                continue
            seen.add(template)
            text, _ = reference.render(template, snippets.VARIABLES)
            if text is not None and " at 0x" in text:
                continue  # the address of an object, which is another each time
            if text != reference.render_without_constant_slices(template, snippets.VARIABLES)[0]:
                continue
            out.write(json.dumps({"template": template, "output": text}, ensure_ascii=True) + "\n")


if __name__ == "__main__":
    main()
