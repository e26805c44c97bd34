package io.millrace.kv.flink;

import com.google.protobuf.Message;

/**
 * Flink's type of a generated Protobuf message; without it Flink would take Kryo.
 *
 * @param <T> the generated message class
 */
public final class ProtoTypeInfo<T extends Message> extends PlainTypeInfo<T> {
    private static final long serialVersionUID = 1L;

    private ProtoTypeInfo(Class<T> messageClass) {
        super(messageClass, new ProtoSerializer<>(messageClass));
    }

    /** The type of a generated message class. */
    public static <T extends Message> ProtoTypeInfo<T> ofMessage(Class<T> messageClass) {
        return new ProtoTypeInfo<>(messageClass);
    }

    @Override
    public int getTotalFields() {
        return 1;
    }

    // A message's hash code is not promised to stay the same between versions, so it must not place a key.
    @Override
    public boolean isKeyType() {
        return false;
    }

    @Override
    public String toString() {
        return "Proto<" + getTypeClass().getSimpleName() + ">";
    }
}
