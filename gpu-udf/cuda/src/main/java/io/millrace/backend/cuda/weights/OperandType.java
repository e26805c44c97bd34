package io.millrace.backend.cuda.weights;

import io.millrace.kv.ErrorCode;
import io.millrace.kv.KvElementType;
import io.millrace.kv.ServingException;
import io.millrace.model.Float16;
import java.util.Locale;

/** The 16-bit type that all operands of an instance's products have: its kernels', its KV blocks'. */
public enum OperandType {
    /** The upper half of a single precision number. */
    BF16(KvElementType.BF16),
    /** IEEE 754 half precision. */
    F16(KvElementType.F16);

    /** Bytes of an element. */
    public static final int BYTES = 2;

    private final KvElementType element;

    OperandType(KvElementType element) {
        this.element = element;
    }

    /** The type of this name, in lower case. */
    public static OperandType named(String name) {
        for (OperandType type : values()) {
            if (type.suffix().equals(name)) {
                return type;
            }
        }
        throw new ServingException(ErrorCode.INVALID_REQUEST, "backend cuda: operand must be bf16 or f16, not " + name);
    }

    /** What a KV block's elements are. */
    public KvElementType element() {
        return element;
    }

    /** How kernels for it are called: {@code bf16}. */
    public String suffix() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** The nearest element's bits. */
    public short bits(float value) {
        return this == BF16 ? Float16.floatToBfloat(value) : Float16.floatToHalf(value);
    }
}
