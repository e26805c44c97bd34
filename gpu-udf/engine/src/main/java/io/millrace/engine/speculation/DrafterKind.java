package io.millrace.engine.speculation;

/** Where a draft comes from. In this order they are asked; the first that has something wins. */
public enum DrafterKind {
    /** The only way on that the sequence's constraint leaves. */
    CONSTRAINT,
    /** What followed the latest tokens where the sequence had them before. */
    LOOKUP,
    /** A second, smaller model of the same vocabulary. */
    MODEL
}
