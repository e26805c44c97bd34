package io.millrace.operators.model;

import static java.util.Objects.requireNonNull;

import io.millrace.engine.Constraint;
import io.millrace.engine.StopCondition;
import io.millrace.operators.ModelText;
import io.millrace.operators.TurnText;
import io.millrace.operators.grammar.OutputDemands;
import io.millrace.proto.ChatRequest;
import io.millrace.proto.OutputRules;
import io.millrace.proto.Tool;
import io.millrace.proto.Turn;
import io.millrace.text.prompt.PromptRenderer;
import io.millrace.text.prompt.RenderedPrompt;
import io.millrace.text.tokenizer.PromptTokenizer;
import io.millrace.text.tokenizer.SpecialTokenGuard;
import io.millrace.text.tokenizer.StopStrings;
import io.millrace.text.tokenizer.Tokenizer;
import org.jspecify.annotations.Nullable;

/** The text side of a GGUF file: its own chat template and vocabulary. */
final class GgufModelText implements ModelText {
    /** Held so that the process keeps them for as long as this is used. */
    private final ModelAssets assets;

    private final Tokenizer tokenizer;
    private final PromptTokenizer promptTokenizer;
    private final PromptRenderer renderer;
    private final int maxTurnTokens;

    GgufModelText(ModelAssets assets, int maxTurnTokens) {
        this.assets = requireNonNull(assets, "assets");
        this.maxTurnTokens = maxTurnTokens;
        tokenizer = assets.tokenizer();
        promptTokenizer = new PromptTokenizer(tokenizer);
        SpecialTokenGuard guard = new SpecialTokenGuard(tokenizer);
        renderer = new PromptRenderer(
                assets.template(), textOf(tokenizer.bosId()), textOf(tokenizer.eosId()), guard::protect);
    }

    @Override
    public Prompt prompt(ChatRequest chat, @Nullable Previous previous) {
        RenderedPrompt rendered = renderer.render(chat);
        OutputRules rules = OutputDemands.of(chat, rendered.format());
        PromptTokenizer.@Nullable Previous known =
                previous == null ? null : new PromptTokenizer.Previous(previous.text(), previous.tokenIds());
        return new Prompt(
                rendered.text(),
                promptTokenizer.encode(rendered.text(), known),
                rendered.format().wireName(),
                chat.getToolsList().stream().map(Tool::getName).toList(),
                rendered.forcedPrefix(),
                rules);
    }

    @Override
    public TurnText newTurnText(Turn turn) {
        return new GgufTurnText(tokenizer, turn);
    }

    @Override
    public StopCondition stopCondition(Turn turn, int[] generatedTokens) {
        StopStrings stops = new StopStrings(turn.getSampling().getStopList());
        if (stops.isEmpty()) {
            return StopCondition.NEVER;
        }
        OutputText text = new OutputText(tokenizer, turn);
        StopStrings.Matcher matcher = stops.newMatcher();
        StopCondition condition =
                tokenId -> matcher.accept(text.accept(tokenId)).matched() != null;
        for (int tokenId : generatedTokens) {
            condition.accept(tokenId);
        }
        return condition;
    }

    @Override
    public boolean isConstraintReady(Turn turn) {
        return assets.grammars().isReady(turn.getOutputFormat(), turn.getOutputRules());
    }

    @Override
    public @Nullable Constraint constraint(Turn turn) {
        return assets.grammars().constraint(turn.getOutputFormat(), turn.getOutputRules());
    }

    @Override
    public String tokenText(int tokenId) {
        return tokenizer.tokenText(tokenId);
    }

    @Override
    public int vocabSize() {
        return tokenizer.vocabSize();
    }

    @Override
    public int maxTurnTokens() {
        return maxTurnTokens;
    }

    @Override
    public String toString() {
        return assets.spec().name();
    }

    private String textOf(int tokenId) {
        return tokenId < 0 ? "" : tokenizer.tokenText(tokenId);
    }
}
