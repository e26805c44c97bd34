package io.millrace.kv.flink;

/** Flink's type of a {@link HandoverRecord}. */
public final class HandoverTypeInfo extends PlainTypeInfo<HandoverRecord> {
    private static final long serialVersionUID = 1L;

    /** There is only one such type. */
    public static final HandoverTypeInfo INSTANCE = new HandoverTypeInfo();

    private HandoverTypeInfo() {
        super(HandoverRecord.class, HandoverSerializer.INSTANCE);
    }

    @Override
    public int getTotalFields() {
        return 1;
    }

    @Override
    public boolean isKeyType() {
        return false;
    }
}
