package io.millrace.kv.flink;

/** Flink's type of a {@link SessionPlacement}. */
public final class SessionPlacementTypeInfo extends PlainTypeInfo<SessionPlacement> {
    private static final long serialVersionUID = 1L;

    /** There is only one such type. */
    public static final SessionPlacementTypeInfo INSTANCE = new SessionPlacementTypeInfo();

    private SessionPlacementTypeInfo() {
        super(SessionPlacement.class, SessionPlacementSerializer.INSTANCE);
    }

    @Override
    public int getTotalFields() {
        return 2;
    }

    @Override
    public boolean isKeyType() {
        return true;
    }
}
