package io.millrace.backend.cuda.weights;

import io.millrace.model.TensorType;

/** How a packed matrix is stored; {@code WeightFormat} of {@code layout.cuh}. */
public enum WeightFormat {
    /** Elements of the operands' type. */
    W16(16, 0),
    /** Signed bytes, and a half scale for 32 of them. */
    W8(8, 2),
    /** Nibbles, and a half scale and minimum for 32 of them. */
    W4(4, 4);

    private final int bits;
    private final int scaleBytes;

    WeightFormat(int bits, int scaleBytes) {
        this.bits = bits;
        this.scaleBytes = scaleBytes;
    }

    /** The format that keeps a tensor's numbers: as they are for two of ggml's types, in 16 bits for all others. */
    public static WeightFormat of(TensorType type) {
        return switch (type) {
            case Q8_0 -> W8;
            case Q4_0, Q4_1, Q4_K -> W4;
            case F32, F16, BF16, Q5_0, Q5_1, Q5_K, Q6_K -> W16;
        };
    }

    /** How kernels for it are called: {@code w8}. */
    public String suffix() {
        return "w" + bits;
    }

    /** Bytes of the elements of a strip of 16 rows. */
    public int stripBytes(int columns) {
        return FragmentLayout.STRIP_ROWS * columns * bits / 8;
    }

    /** Bytes of the scales of a strip of 16 rows. */
    public int stripScaleBytes(int columns) {
        return FragmentLayout.STRIP_ROWS * (columns / FragmentLayout.SCALE_COLUMNS) * scaleBytes;
    }
}
