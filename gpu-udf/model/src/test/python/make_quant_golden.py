"""Makes quants.bin: what the Python package gguf (0.17 or newer) says that blocks of each type mean.

Run in a virtual environment that has gguf and numpy:

    python make_quant_golden.py ../resources/io/millrace/model/quants.bin

Layout, little-endian. First dequantisation: for each type its id (int32), a count of bytes (int32), the bytes, a count
of floats (int32), the floats. Then -1, and quantisation: a count of floats, the floats, and for each type its id, a
count of bytes, the bytes. Then -1.
"""

import struct
import sys
import warnings

import numpy as np
from gguf import GGML_QUANT_SIZES, GGMLQuantizationType as T
from gguf.quants import dequantize, quantize

warnings.simplefilter("ignore")
DEQUANTIZED = [T.F32, T.F16, T.BF16, T.Q8_0, T.Q4_0, T.Q4_1, T.Q5_0, T.Q5_1, T.Q4_K, T.Q5_K, T.Q6_K]
QUANTIZED = [T.F16, T.BF16, T.Q8_0, T.Q4_0, T.Q4_1, T.Q5_0, T.Q5_1]
# Where a block's half-precision numbers are.
HALVES = {
    T.Q8_0: [0], T.Q4_0: [0], T.Q4_1: [0, 2], T.Q5_0: [0], T.Q5_1: [0, 2],
    T.Q4_K: [0, 2], T.Q5_K: [0, 2], T.Q6_K: [208],
}
# Zero, the smallest subnormal, one, the largest, minus two thirds, infinity.
SCALES = [0x0000, 0x0001, 0x3C00, 0x7BFF, 0xB955, 0x7C00]


def section(array):
    data = array.tobytes()
    return struct.pack("<i", array.size) + data


def random_blocks(rng, qtype):
    elements, block_bytes = GGML_QUANT_SIZES[qtype]
    count = 8 if elements > 32 else 16 if elements > 1 else 64
    blocks = rng.integers(0, 256, (count, block_bytes), dtype=np.uint8)
    for at in HALVES.get(qtype, []):
        for i, block in enumerate(blocks):
            scale = SCALES[i] if i < len(SCALES) else rng.normal(0, 0.01)
            half = np.uint16(scale) if i < len(SCALES) else np.float16(scale).view(np.uint16)
            block[at : at + 2] = np.frombuffer(struct.pack("<H", half), np.uint8)
    return blocks.reshape(-1)


def main(path):
    rng = np.random.default_rng(20261123)
    out = b""
    for qtype in DEQUANTIZED:
        blocks = random_blocks(rng, qtype)
        floats = dequantize(blocks, qtype).astype(np.float32).reshape(-1)
        out += struct.pack("<i", int(qtype)) + section(blocks) + section(floats)
    out += struct.pack("<i", -1)

    values = rng.normal(0, 1, 32 * 12).astype(np.float32)
    values[0:32] = 0
    values[32:64] = np.arange(-16, 16) / 2
    values[64:96] *= 1e-7
    values[96:128] *= 1e4
    values[128:160] = np.abs(values[128:160])
    values[160:192] = 0.1
    out += section(values)
    for qtype in QUANTIZED:
        stored = values.astype(np.float16).view(np.uint8) if qtype == T.F16 else quantize(values, qtype).view(np.uint8)
        out += struct.pack("<i", int(qtype)) + section(stored.reshape(-1))
    out += struct.pack("<i", -1)
    with open(path, "wb") as file:
        file.write(out)


if __name__ == "__main__":
    main(sys.argv[1])
