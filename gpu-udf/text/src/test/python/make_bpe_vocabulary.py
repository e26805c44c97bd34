"""Trains the small byte-level vocabulary on which pre-tokenizers are compared:

    python3 make_bpe_vocabulary.py ../resources/tokenizer/texts.jsonl > ../resources/tokenizer/bpe-vocabulary.json

It is trained on whole texts, so that its merges reach across words: every cut that a pre-tokenizer makes or
does not make then shows in the tokens. Needs the package tokenizers.
"""

import json
import sys

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|begin_of_text|>", "<|eot_id|>"]
USER_DEFINED = ["<tool_call>", "</tool_call>", "<think>"]
# Tokens that no merges lead to: whole words have them, where the pre-tokenizer's model says so.
WHOLE_WORDS = ["wORLD", "\u0120HELLO", "\u0120CAN", "THEY"]


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        texts = [json.loads(line) for line in file]
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=1500, min_frequency=2, max_token_length=6, show_progress=False,
                                  initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    tokenizer.train_from_iterator(texts, trainer)
    model = json.loads(tokenizer.to_str())["model"]
    tokens = sorted(model["vocab"], key=model["vocab"].get)
    special_start = len(tokens) + len(WHOLE_WORDS)
    json.dump({
        "tokens": tokens + WHOLE_WORDS + SPECIAL + USER_DEFINED,
        "controlStart": special_start,
        "userDefinedStart": special_start + len(SPECIAL),
        "merges": [" ".join(merge) if isinstance(merge, list) else merge for merge in model["merges"]],
    }, sys.stdout, ensure_ascii=False, indent=0)


main()
