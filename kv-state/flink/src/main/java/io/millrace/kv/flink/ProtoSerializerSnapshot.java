package io.millrace.kv.flink;

import static java.util.Objects.requireNonNull;

import com.google.protobuf.Message;
import java.io.IOException;
import org.apache.flink.api.common.typeutils.TypeSerializer;
import org.apache.flink.api.common.typeutils.TypeSerializerSchemaCompatibility;
import org.apache.flink.api.common.typeutils.TypeSerializerSnapshot;
import org.apache.flink.core.memory.DataInputView;
import org.apache.flink.core.memory.DataOutputView;
import org.apache.flink.util.InstantiationUtil;
import org.jspecify.annotations.Nullable;

/**
 * What a checkpoint remembers of a {@link ProtoSerializer}: the class and the schema's name of the message. State
 * written with one version of a message can be read with another one as long as the schema's name is the same.
 *
 * @param <T> the generated message class
 */
public final class ProtoSerializerSnapshot<T extends Message> implements TypeSerializerSnapshot<T> {
    private static final int VERSION = 1;

    private @Nullable Class<T> messageClass;
    private @Nullable String protoFullName;

    /** For Flink, which then calls {@link #readSnapshot}. */
    public ProtoSerializerSnapshot() {}

    ProtoSerializerSnapshot(Class<T> messageClass) {
        this.messageClass = messageClass;
        this.protoFullName = new ProtoSerializer<>(messageClass).protoFullName();
    }

    @Override
    public int getCurrentVersion() {
        return VERSION;
    }

    @Override
    public void writeSnapshot(DataOutputView out) throws IOException {
        out.writeUTF(requireNonNull(messageClass, "messageClass").getName());
        out.writeUTF(requireNonNull(protoFullName, "protoFullName"));
    }

    @Override
    @SuppressWarnings("unchecked")
    public void readSnapshot(int readVersion, DataInputView in, ClassLoader classLoader) throws IOException {
        if (readVersion != VERSION) {
            throw new IOException("a Protobuf serializer's snapshot of version " + readVersion
                    + " is not known here; this is version " + VERSION);
        }
        messageClass = (Class<T>) (Class<?>) InstantiationUtil.resolveClassByName(in, classLoader, Message.class);
        protoFullName = in.readUTF();
    }

    @Override
    public TypeSerializer<T> restoreSerializer() {
        return new ProtoSerializer<>(requireNonNull(messageClass, "messageClass"));
    }

    @Override
    public TypeSerializerSchemaCompatibility<T> resolveSchemaCompatibility(TypeSerializerSnapshot<T> oldSnapshot) {
        boolean sameSchema = oldSnapshot instanceof ProtoSerializerSnapshot<?> old
                && requireNonNull(protoFullName, "protoFullName").equals(old.protoFullName);
        return sameSchema
                ? TypeSerializerSchemaCompatibility.compatibleAsIs()
                : TypeSerializerSchemaCompatibility.incompatible();
    }
}
