package io.millrace.operators;

/** What an engine is for, where Prefill and Decode have engines of their own. */
public enum EngineRole {
    /** It computes prompts, and hands their blocks over. */
    PREFILL,
    /** It generates tokens. */
    DECODE
}
