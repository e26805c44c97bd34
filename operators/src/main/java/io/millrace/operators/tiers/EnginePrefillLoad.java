package io.millrace.operators.tiers;

import static java.util.Objects.requireNonNull;

import io.millrace.engine.Engine;

/** What an engine says of its prompts after its latest step. */
record EnginePrefillLoad(Engine engine) implements PrefillLoad {
    EnginePrefillLoad {
        requireNonNull(engine, "engine");
    }

    @Override
    public long queuedPromptTokens() {
        return engine.stats().queuedPromptTokens();
    }

    @Override
    public double promptTokensPerSecond() {
        return engine.stats().promptTokensPerSecond();
    }
}
