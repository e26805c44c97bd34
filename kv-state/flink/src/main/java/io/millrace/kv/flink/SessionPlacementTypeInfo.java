package io.millrace.kv.flink;

import org.apache.flink.api.common.serialization.SerializerConfig;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.common.typeutils.TypeSerializer;
import org.jspecify.annotations.Nullable;

/** Flink's type of a {@link SessionPlacement}. */
public final class SessionPlacementTypeInfo extends TypeInformation<SessionPlacement> {
    private static final long serialVersionUID = 1L;

    /** There is only one such type. */
    public static final SessionPlacementTypeInfo INSTANCE = new SessionPlacementTypeInfo();

    private SessionPlacementTypeInfo() {}

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
        return 2;
    }

    @Override
    public Class<SessionPlacement> getTypeClass() {
        return SessionPlacement.class;
    }

    @Override
    public boolean isKeyType() {
        return true;
    }

    @Override
    public TypeSerializer<SessionPlacement> createSerializer(SerializerConfig config) {
        return SessionPlacementSerializer.INSTANCE;
    }

    @Override
    public String toString() {
        return "SessionPlacement";
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof SessionPlacementTypeInfo;
    }

    @Override
    public int hashCode() {
        return SessionPlacementTypeInfo.class.hashCode();
    }

    @Override
    public boolean canEqual(Object other) {
        return other instanceof SessionPlacementTypeInfo;
    }
}
