package io.millrace.kv.flink;

import static java.util.Objects.requireNonNull;

import com.google.protobuf.Internal;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.protobuf.Parser;
import java.io.IOException;
import org.apache.flink.api.common.typeutils.TypeSerializer;
import org.apache.flink.api.common.typeutils.TypeSerializerSnapshot;
import org.apache.flink.core.memory.DataInputView;
import org.apache.flink.core.memory.DataOutputView;
import org.jspecify.annotations.Nullable;

/**
 * Flink's serializer for a generated Protobuf message: its length as four bytes, then its bytes. Messages are
 * immutable, so a copy is the message itself, and fields may be added to them as Protobuf allows.
 *
 * @param <T> the generated message class
 */
public final class ProtoSerializer<T extends Message> extends TypeSerializer<T> {
    private static final long serialVersionUID = 1L;

    /** No message may be larger: a damaged length must not become a huge allocation. */
    static final int MESSAGE_BYTES_MAX = 256 << 20;

    private final Class<T> messageClass;
    private transient @Nullable Parser<T> parser;

    public ProtoSerializer(Class<T> messageClass) {
        this.messageClass = requireNonNull(messageClass, "messageClass");
    }

    /** The generated class. */
    public Class<T> messageClass() {
        return messageClass;
    }

    /** The message's full name in its schema, which names the format whatever becomes of the class. */
    String protoFullName() {
        return defaultInstance().getDescriptorForType().getFullName();
    }

    @Override
    public boolean isImmutableType() {
        return true;
    }

    @Override
    public TypeSerializer<T> duplicate() {
        return this;
    }

    @Override
    public T createInstance() {
        return defaultInstance();
    }

    @Override
    public T copy(T from) {
        return from;
    }

    @Override
    public T copy(T from, T reuse) {
        return from;
    }

    @Override
    public int getLength() {
        return -1;
    }

    @Override
    public void serialize(T message, DataOutputView target) throws IOException {
        byte[] bytes = message.toByteArray();
        if (bytes.length > MESSAGE_BYTES_MAX) {
            throw new IOException(protoFullName() + " of " + bytes.length + " bytes is above the limit of "
                    + MESSAGE_BYTES_MAX + " bytes");
        }
        target.writeInt(bytes.length);
        target.write(bytes);
    }

    @Override
    public T deserialize(DataInputView source) throws IOException {
        byte[] bytes = new byte[checkedLength(source.readInt())];
        source.readFully(bytes);
        try {
            return parser().parseFrom(bytes);
        } catch (InvalidProtocolBufferException e) {
            throw new IOException("these " + bytes.length + " bytes are no " + protoFullName(), e);
        }
    }

    @Override
    public T deserialize(T reuse, DataInputView source) throws IOException {
        return deserialize(source);
    }

    @Override
    public void copy(DataInputView source, DataOutputView target) throws IOException {
        byte[] bytes = new byte[checkedLength(source.readInt())];
        source.readFully(bytes);
        target.writeInt(bytes.length);
        target.write(bytes);
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof ProtoSerializer<?> that && that.messageClass == messageClass;
    }

    @Override
    public int hashCode() {
        return messageClass.hashCode();
    }

    @Override
    public TypeSerializerSnapshot<T> snapshotConfiguration() {
        return new ProtoSerializerSnapshot<>(messageClass);
    }

    private int checkedLength(int length) throws IOException {
        if (length < 0 || length > MESSAGE_BYTES_MAX) {
            throw new IOException("a " + protoFullName() + " cannot have " + length + " bytes");
        }
        return length;
    }

    private T defaultInstance() {
        return Internal.getDefaultInstance(messageClass);
    }

    @SuppressWarnings("unchecked")
    private Parser<T> parser() {
        Parser<T> known = parser;
        if (known == null) {
            known = (Parser<T>) defaultInstance().getParserForType();
            parser = known;
        }
        return known;
    }
}
