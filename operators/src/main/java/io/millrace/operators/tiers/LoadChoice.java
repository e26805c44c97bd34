package io.millrace.operators.tiers;

import static java.util.Objects.requireNonNull;

/** Loads or computes by what waits and by what was measured at this moment. Used on the engine's thread. */
final class LoadChoice {
    /** Prompt tokens a second, until the engine has computed some: a small model on a small machine. */
    private static final double DEFAULT_TOKENS_PER_SECOND = 200;

    private final LoadDecision decision;
    private final BlockLoader loader;
    private final PrefillLoad engine;
    private final TierCounters counters;
    private final int contentBytes;
    private final int blockSizeTokens;

    LoadChoice(
            LoadDecision decision,
            BlockLoader loader,
            PrefillLoad engine,
            TierCounters counters,
            int contentBytes,
            int blockSizeTokens) {
        this.decision = requireNonNull(decision, "decision");
        this.loader = requireNonNull(loader, "loader");
        this.engine = requireNonNull(engine, "engine");
        this.counters = requireNonNull(counters, "counters");
        this.contentBytes = contentBytes;
        this.blockSizeTokens = blockSizeTokens;
    }

    /** Whether to load so many blocks. */
    boolean loads(int hostBlocks, int stateBlocks) {
        int blocks = hostBlocks + stateBlocks;
        double measured = engine.promptTokensPerSecond();
        LoadDecision.Rates rates = new LoadDecision.Rates(
                loader.hostBytesPerSecond(),
                loader.stateBytesPerSecond(),
                measured > 0 ? measured : DEFAULT_TOKENS_PER_SECOND);
        LoadDecision.Work work = new LoadDecision.Work(
                loader.queuedHostBytes() + (long) hostBlocks * contentBytes,
                loader.queuedStateBytes() + (long) stateBlocks * contentBytes,
                engine.queuedPromptTokens() + (long) blocks * blockSizeTokens);
        boolean loads = decision.loads(work, rates);
        if (loads) {
            counters.decidedToLoad.increment();
        } else {
            counters.decidedToCompute.increment();
            counters.recomputedBlocks.add(blocks);
        }
        return loads;
    }
}
