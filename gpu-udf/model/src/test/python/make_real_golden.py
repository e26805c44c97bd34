"""Makes smollm2-crc32.txt: for each tensor of a model file, the CRC-32 of its dequantised little-endian floats.

Run in a virtual environment that has gguf and numpy:

    python make_real_golden.py SmolLM2-135M-Instruct.Q4_1.gguf ../resources/io/millrace/model/smollm2-crc32.txt
"""

import sys
import zlib

import numpy as np
from gguf import GGUFReader
from gguf.quants import dequantize


def main(model, path):
    with open(path, "w", encoding="utf-8") as out:
        for tensor in GGUFReader(model).tensors:
            floats = dequantize(tensor.data, tensor.tensor_type).astype("<f4")
            out.write(f"{tensor.name} {tensor.tensor_type.name} {zlib.crc32(np.ascontiguousarray(floats)):08x}\n")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
