"""Trains a small SentencePiece vocabulary and writes it and the tokens that the package sentencepiece has for texts:

    python3 make_sentencepiece_goldens.py ../resources/tokenizer

Writes spm-vocabulary.json, spm-prefix.jsonl (a space is put in front of a text, as Llama 2 does) and
spm-no-prefix.jsonl (it is not, as with Gemma, and there are user-defined tokens).
"""

import io
import json
import pathlib
import sys

import sentencepiece
from sentencepiece import sentencepiece_model_pb2

USER_DEFINED = ["\n\n\n", "\n\n", "\n", "\t\t", "\t", "<table>", "</s2>"]


def train(texts):
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(texts), model_writer=model, model_type="bpe", vocab_size=900, byte_fallback=True,
        character_coverage=0.98, normalization_rule_name="identity", remove_extra_whitespaces=False,
        add_dummy_prefix=True, split_by_unicode_script=False, split_digits=True, allow_whitespace_only_pieces=True,
        num_threads=1, control_symbols=["<start_of_turn>", "<end_of_turn>"], minloglevel=2)
    proto = sentencepiece_model_pb2.ModelProto()
    proto.ParseFromString(model.getvalue())
    return proto


def write_ids(proto, texts, path):
    processor = sentencepiece.SentencePieceProcessor(model_proto=proto.SerializeToString())
    with open(path, "w", encoding="utf-8") as file:
        for text in texts:
            file.write(json.dumps(processor.encode(text), separators=(",", ":")) + "\n")


def main():
    folder = pathlib.Path(sys.argv[1])
    with open(folder / "texts.jsonl", encoding="utf-8") as file:
        texts = [json.loads(line) for line in file]
    lines = [line for text in texts for line in text.split("\n")]
    # Tabs are left to the user-defined tokens, other scripts to the byte tokens.
    proto = train([line for line in lines if not {"\0", "\t"} & set(line) and max(line, default="") < "\u0600"])
    write_ids(proto, texts, folder / "spm-prefix.jsonl")
    for text in USER_DEFINED:
        proto.pieces.add(piece=text, score=0, type=4)
    proto.trainer_spec.vocab_size = len(proto.pieces)
    proto.normalizer_spec.add_dummy_prefix = False
    write_ids(proto, texts, folder / "spm-no-prefix.jsonl")
    with open(folder / "spm-vocabulary.json", "w", encoding="utf-8") as file:
        json.dump({
            "tokens": [piece.piece for piece in proto.pieces],
            "scores": [int(piece.score) if piece.score == int(piece.score) else piece.score for piece in proto.pieces],
            "types": [piece.type for piece in proto.pieces],
            "userDefinedCount": len(USER_DEFINED),
        }, file, ensure_ascii=False, indent=0)


main()
