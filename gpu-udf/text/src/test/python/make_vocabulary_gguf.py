"""Writes a GGUF file that has a vocabulary and no weights, for llama.cpp to read:

    python3 make_vocabulary_gguf.py ../resources/tokenizer/bpe-vocabulary.json PRE OUT.gguf

Needs the package gguf.
"""

import json
import sys

import gguf


def main():
    source, pre, target = sys.argv[1:]
    with open(source, encoding="utf-8") as file:
        vocabulary = json.load(file)
    tokens = vocabulary["tokens"]
    types = [gguf.TokenType.NORMAL] * vocabulary["controlStart"]
    types += [gguf.TokenType.CONTROL] * (vocabulary["userDefinedStart"] - len(types))
    types += [gguf.TokenType.USER_DEFINED] * (len(tokens) - len(types))
    writer = gguf.GGUFWriter(target, "llama")
    writer.add_context_length(512)
    writer.add_embedding_length(64)
    writer.add_block_count(1)
    writer.add_feed_forward_length(64)
    writer.add_head_count(1)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_vocab_size(len(tokens))
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(pre)
    writer.add_token_list(tokens)
    writer.add_token_types(types)
    writer.add_token_merges(vocabulary["merges"])
    writer.add_eos_token_id(vocabulary["controlStart"])
    writer.add_bos_token_id(vocabulary["controlStart"])
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


main()
