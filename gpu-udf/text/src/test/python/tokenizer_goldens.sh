#!/usr/bin/env bash
# Makes all golden files of the tokenizers anew:
#   tokenizer_goldens.sh PYTHON NPM_FOLDER SMOLLM2.gguf
# PYTHON has the packages tokenizers, sentencepiece, protobuf and gguf; NPM_FOLDER has node-llama-cpp installed.
set -euo pipefail
python=$1 npm_folder=$2 smollm2=$(realpath "$3")
here=$(cd "$(dirname "$0")" && pwd)
out=$here/../resources/tokenizer
scratch=$(mktemp -d)
trap 'rm -r "$scratch"' EXIT
llama_cpp() { (cd "$npm_folder" && node "$here/../node/tokenize_with_llama_cpp.mjs" "$@"); }

"$python" "$here/make_tokenizer_texts.py" > "$out/texts.jsonl"
"$python" "$here/make_bpe_vocabulary.py" "$out/texts.jsonl" > "$out/bpe-vocabulary.json"
"$python" "$here/make_sentencepiece_goldens.py" "$out"
for pre in gpt-2 llama-bpe qwen2 tekken; do
    "$python" "$here/tokenize_with_tokenizers.py" "$out/bpe-vocabulary.json" $pre "$out/texts.jsonl" \
        > "$out/bpe-$pre.jsonl"
done
"$python" "$here/make_vocabulary_gguf.py" "$out/bpe-vocabulary.json" default "$scratch/default.gguf"
llama_cpp "$scratch/default.gguf" "$out/texts.jsonl" plain > "$out/bpe-default.jsonl"
for mode in plain special; do
    llama_cpp "$smollm2" "$out/texts.jsonl" $mode > "$out/smollm2.$mode.jsonl"
done
