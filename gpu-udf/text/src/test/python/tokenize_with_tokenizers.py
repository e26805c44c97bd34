"""Prints the tokens of each text in a file by the package tokenizers, one JSON array a line:

    python3 tokenize_with_tokenizers.py bpe-vocabulary.json PRE texts.jsonl > ids.jsonl

The expressions are those that the models' makers published in their tokenizer.json.
"""

import json
import sys

from tokenizers import Regex, Tokenizer, models, pre_tokenizers

CONTRACTIONS = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|"
REST = r"|\s*[\r\n]+|\s+(?!\S)|\s+"
UPPER = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]"
LOWER = r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"
LEAD = r"[^\r\n\p{L}\p{N}]?"
PATTERNS = {
    "llama-bpe": CONTRACTIONS + LEAD + r"\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*" + REST,
    "qwen2": CONTRACTIONS + LEAD + r"\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*" + REST,
    "tekken": LEAD + UPPER + "*" + LOWER + "+|" + LEAD + UPPER + "+" + LOWER + "*"
              + r"|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*" + REST,
}


def pre_tokenizer(name):
    if name == "gpt-2":
        return pre_tokenizers.ByteLevel(add_prefix_space=False)
    if name == "smollm":
        return pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), pre_tokenizer("gpt-2")])
    split = pre_tokenizers.Split(Regex(PATTERNS[name]), behavior="isolated")
    return pre_tokenizers.Sequence([split, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])


def main():
    vocabulary_path, name, texts_path = sys.argv[1:]
    with open(vocabulary_path, encoding="utf-8") as file:
        vocabulary = json.load(file)
    tokens = vocabulary["tokens"][:vocabulary["controlStart"]]
    merges = [tuple(merge.split(" ")) for merge in vocabulary["merges"]]
    tokenizer = Tokenizer(models.BPE({text: i for i, text in enumerate(tokens)}, merges,
                                     ignore_merges=name in ("llama-bpe", "tekken")))
    tokenizer.pre_tokenizer = pre_tokenizer(name)
    tokenizer.add_tokens(vocabulary["tokens"][vocabulary["userDefinedStart"]:])
    first = tokenizer.token_to_id(vocabulary["tokens"][vocabulary["userDefinedStart"]])
    shift = vocabulary["userDefinedStart"] - first
    with open(texts_path, encoding="utf-8") as file:
        for line in file:
            ids = tokenizer.encode(json.loads(line)).ids
            print(json.dumps([i + shift if i >= first else i for i in ids], separators=(",", ":")))


main()
