package io.millrace.operators.testing;

import io.millrace.engine.Constraint;
import io.millrace.engine.StopCondition;
import io.millrace.grammar.ForcedTokens;
import io.millrace.kv.ErrorCode;
import io.millrace.kv.ServingException;
import io.millrace.operators.ModelText;
import io.millrace.operators.TurnText;
import io.millrace.operators.grammar.OutputDemands;
import io.millrace.operators.grammar.OutputGrammars;
import io.millrace.operators.grammar.OutputTokens;
import io.millrace.proto.ChatMessage;
import io.millrace.proto.ChatRequest;
import io.millrace.proto.OutputRules;
import io.millrace.proto.Turn;
import io.millrace.text.output.OutputFormat;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A text side of one token a character, up to 299. The template writes {@code role:content\n} for each message; a
 * message of the role "refuse" is refused, and one of the role "defect" meets a defect. Stop strings are single
 * characters.
 */
public final class TestingModelText implements ModelText {
    private static final int VOCAB_SIZE = 300;

    /** Ends an output whose form is demanded: for engines that have it as an end token. */
    public static final int END_TOKEN = VOCAB_SIZE - 1;

    private final int maxTurnTokens;
    private final OutputGrammars grammars = new OutputGrammars(new Characters());

    public TestingModelText(int maxTurnTokens) {
        this.maxTurnTokens = maxTurnTokens;
    }

    @Override
    public Prompt prompt(ChatRequest chat, @Nullable Previous previous) {
        StringBuilder text = new StringBuilder();
        for (ChatMessage message : chat.getMessagesList()) {
            if (message.getRole().equals("refuse")) {
                throw new ServingException(ErrorCode.TEMPLATE_REFUSED, "the template refused the message");
            }
            if (message.getRole().equals("defect")) {
                throw new IllegalStateException("a defect on purpose");
            }
            text.append(message.getRole())
                    .append(':')
                    .append(message.getContent())
                    .append('\n');
        }
        OutputRules rules = OutputDemands.of(chat, OutputFormat.PLAIN);
        return new Prompt(text.toString(), encode(text.toString()), "", List.of(), "", rules);
    }

    /** The tokens of a text. */
    public static int[] encode(String text) {
        return text.chars().map(c -> Math.min(c, VOCAB_SIZE - 1)).toArray();
    }

    @Override
    public TurnText newTurnText(Turn turn) {
        return new Reader(turn.getSampling().getStopList());
    }

    @Override
    public StopCondition stopCondition(Turn turn, int[] generatedTokens) {
        List<String> stops = turn.getSampling().getStopList();
        return tokenId -> stops.contains(Character.toString(tokenId));
    }

    @Override
    public boolean isConstraintReady(Turn turn) {
        return grammars.isReady(turn.getOutputFormat(), turn.getOutputRules());
    }

    @Override
    public @Nullable Constraint constraint(Turn turn) {
        return grammars.constraint(turn.getOutputFormat(), turn.getOutputRules());
    }

    @Override
    public String tokenText(int tokenId) {
        return "<" + tokenId + ">";
    }

    @Override
    public int vocabSize() {
        return VOCAB_SIZE;
    }

    @Override
    public int maxTurnTokens() {
        return maxTurnTokens;
    }

    /** Each token is a character, save those that end an output. */
    private static final class Characters implements OutputTokens {
        @Override
        public @Nullable byte[][] bytes(boolean markers) {
            @Nullable byte[][] bytes = new byte[VOCAB_SIZE][];
            for (int id = 0; id < VOCAB_SIZE; id++) {
                bytes[id] = id == END_TOKEN ? null : Character.toString(id).getBytes(StandardCharsets.UTF_8);
            }
            return bytes;
        }

        @Override
        public int[] endTokenIds() {
            return new int[] {END_TOKEN};
        }

        @Override
        public @Nullable ForcedTokens forcedTokens() {
            return null;
        }

        @Override
        public boolean dropsLeadingSpace() {
            return false;
        }
    }

    /** Holds back every other character, so that what is emitted depends on what came before. */
    private static final class Reader implements TurnText {
        private final List<String> stops;
        private String held = "";
        private String stopString = "";

        Reader(List<String> stops) {
            this.stops = stops;
        }

        @Override
        public Piece accept(int tokenId) {
            String text = Character.toString(tokenId);
            if (stops.contains(text)) {
                stopString = text;
                return Piece.NOTHING;
            }
            if (held.isEmpty()) {
                held = text;
                return Piece.NOTHING;
            }
            Piece piece = Piece.text(held + text);
            held = "";
            return piece;
        }

        @Override
        public Piece finish() {
            Piece piece = Piece.text(held);
            held = "";
            return piece;
        }

        @Override
        public String stopString() {
            return stopString;
        }
    }
}
