package io.millrace.kv.flink;

import static java.util.Objects.requireNonNull;

import com.google.protobuf.Message;
import org.apache.flink.api.common.serialization.SerializerConfig;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.common.typeutils.TypeSerializer;
import org.jspecify.annotations.Nullable;

/**
 * Flink's type of a generated Protobuf message; without it Flink would take Kryo.
 *
 * @param <T> the generated message class
 */
public final class ProtoTypeInfo<T extends Message> extends TypeInformation<T> {
    private static final long serialVersionUID = 1L;

    private final Class<T> messageClass;

    private ProtoTypeInfo(Class<T> messageClass) {
        this.messageClass = requireNonNull(messageClass, "messageClass");
    }

    /** The type of a generated message class. */
    public static <T extends Message> ProtoTypeInfo<T> ofMessage(Class<T> messageClass) {
        return new ProtoTypeInfo<>(messageClass);
    }

    @Override
    public boolean isBasicType() {
        return false;
    }

    @Override
    public boolean isTupleType() {
        return false;
    }

    @Override
    public int getArity() {
        return 1;
    }

    @Override
    public int getTotalFields() {
        return 1;
    }

    @Override
    public Class<T> getTypeClass() {
        return messageClass;
    }

    // A message's hash code is not promised to stay the same between versions, so it must not place a key.
    @Override
    public boolean isKeyType() {
        return false;
    }

    @Override
    public TypeSerializer<T> createSerializer(SerializerConfig config) {
        return new ProtoSerializer<>(messageClass);
    }

    @Override
    public String toString() {
        return "Proto<" + messageClass.getSimpleName() + ">";
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof ProtoTypeInfo<?> that && that.messageClass == messageClass;
    }

    @Override
    public int hashCode() {
        return messageClass.hashCode();
    }

    @Override
    public boolean canEqual(Object other) {
        return other instanceof ProtoTypeInfo;
    }
}
