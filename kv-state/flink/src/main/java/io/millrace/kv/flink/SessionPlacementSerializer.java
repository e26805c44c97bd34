package io.millrace.kv.flink;

import java.io.IOException;
import org.apache.flink.api.common.typeutils.SimpleTypeSerializerSnapshot;
import org.apache.flink.api.common.typeutils.TypeSerializerSnapshot;
import org.apache.flink.api.common.typeutils.base.TypeSerializerSingleton;
import org.apache.flink.core.memory.DataInputView;
import org.apache.flink.core.memory.DataOutputView;
import org.apache.flink.types.StringValue;

/** Flink's serializer of a {@link SessionPlacement}: the hash as four bytes, then the id as Flink writes text. */
public final class SessionPlacementSerializer extends TypeSerializerSingleton<SessionPlacement> {
    private static final long serialVersionUID = 1L;

    /** It holds nothing, so there is one. */
    public static final SessionPlacementSerializer INSTANCE = new SessionPlacementSerializer();

    private static final SessionPlacement EMPTY = new SessionPlacement("", 0);

    @Override
    public boolean isImmutableType() {
        return true;
    }

    @Override
    public SessionPlacement createInstance() {
        return EMPTY;
    }

    @Override
    public SessionPlacement copy(SessionPlacement from) {
        return from;
    }

    @Override
    public SessionPlacement copy(SessionPlacement from, SessionPlacement reuse) {
        return from;
    }

    @Override
    public int getLength() {
        return -1;
    }

    @Override
    public void serialize(SessionPlacement placement, DataOutputView target) throws IOException {
        target.writeInt(placement.hash());
        StringValue.writeString(placement.sessionId(), target);
    }

    @Override
    public SessionPlacement deserialize(DataInputView source) throws IOException {
        int hash = source.readInt();
        return new SessionPlacement(StringValue.readString(source), hash);
    }

    @Override
    public SessionPlacement deserialize(SessionPlacement reuse, DataInputView source) throws IOException {
        return deserialize(source);
    }

    @Override
    public void copy(DataInputView source, DataOutputView target) throws IOException {
        target.writeInt(source.readInt());
        StringValue.copyString(source, target);
    }

    @Override
    public TypeSerializerSnapshot<SessionPlacement> snapshotConfiguration() {
        return new Snapshot();
    }

    /** What a checkpoint remembers of the serializer. */
    public static final class Snapshot extends SimpleTypeSerializerSnapshot<SessionPlacement> {
        public Snapshot() {
            super(() -> INSTANCE);
        }
    }
}
