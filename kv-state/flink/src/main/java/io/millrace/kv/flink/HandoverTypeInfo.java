package io.millrace.kv.flink;

import org.apache.flink.api.common.serialization.SerializerConfig;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.common.typeutils.TypeSerializer;
import org.jspecify.annotations.Nullable;

/** Flink's type of a {@link HandoverRecord}. */
public final class HandoverTypeInfo extends TypeInformation<HandoverRecord> {
    private static final long serialVersionUID = 1L;

    /** There is only one such type. */
    public static final HandoverTypeInfo INSTANCE = new HandoverTypeInfo();

    private HandoverTypeInfo() {}

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
    public Class<HandoverRecord> getTypeClass() {
        return HandoverRecord.class;
    }

    @Override
    public boolean isKeyType() {
        return false;
    }

    @Override
    public TypeSerializer<HandoverRecord> createSerializer(SerializerConfig config) {
        return HandoverSerializer.INSTANCE;
    }

    @Override
    public String toString() {
        return "HandoverRecord";
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof HandoverTypeInfo;
    }

    @Override
    public int hashCode() {
        return HandoverTypeInfo.class.hashCode();
    }

    @Override
    public boolean canEqual(Object other) {
        return other instanceof HandoverTypeInfo;
    }
}
