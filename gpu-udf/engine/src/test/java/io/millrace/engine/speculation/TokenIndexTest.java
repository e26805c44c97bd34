package io.millrace.engine.speculation;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.kv.testing.Property;
import org.junit.jupiter.api.Test;

class TokenIndexTest {
    @Test
    void findsWhereTheLatestTokensWereBefore() {
        TokenIndex index = new TokenIndex();
        assertThat(index.find(new int[] {1}, 1)).isEqualTo(TokenIndex.NONE);
        assertThat(index.find(new int[] {1, 2}, 2)).isEqualTo(TokenIndex.NONE);
        int[] tokens = {1, 2, 3, 4, 5, 9, 2, 3, 4};
        assertThat(index.find(tokens, 7)).isEqualTo(TokenIndex.NONE);
        assertThat(index.find(tokens, 8)).isEqualTo(3);
        assertThat(index.matchTokens()).isEqualTo(2);
        assertThat(index.find(tokens, 9)).isEqualTo(4);
        assertThat(index.matchTokens()).isEqualTo(3);
    }

    @Test
    void takesTheLongestRunBeforeTheLatest() {
        int[] tokens = {7, 1, 2, 3, 4, 50, 8, 1, 2, 3, 4, 60, 7, 1, 2, 3, 4};
        TokenIndex index = new TokenIndex();
        assertThat(index.find(tokens, tokens.length)).isEqualTo(5);
        assertThat(index.matchTokens()).isEqualTo(5);
    }

    @Test
    void findsOverlappingRuns() {
        int[] tokens = {4, 4, 4, 4};
        assertThat(new TokenIndex().find(tokens, 4)).isEqualTo(3);
    }

    @Test
    void whatItFindsWasThereAndNearlyAllThatIsThereIsFound() {
        Property.forAll(3, 200, random -> {
            int vocab = 2 + random.nextInt(30);
            int[] tokens = new int[1 + random.nextInt(5000)];
            for (int i = 0; i < tokens.length; i++) {
                boolean copies = i > 40 && random.nextInt(8) > 0;
                tokens[i] = copies ? tokens[i - 37] : random.nextInt(vocab);
            }
            TokenIndex index = new TokenIndex();
            int count = 1;
            int missed = 0;
            int searches = 0;
            while (count <= tokens.length) {
                int source = index.find(tokens, count);
                searches++;
                if (source == TokenIndex.NONE) {
                    missed += longestMatch(tokens, count) < TokenIndex.MIN_MATCH_TOKENS ? 0 : 1;
                } else {
                    assertThat(source).isBetween(1, count - 1);
                    assertThat(index.matchTokens()).isBetween(TokenIndex.MIN_MATCH_TOKENS, 64);
                    for (int i = 1; i <= index.matchTokens(); i++) {
                        assertThat(tokens[source - i]).isEqualTo(tokens[count - i]);
                    }
                }
                count += 1 + random.nextInt(9);
            }
            // Runs of one hash may hide each other.
            assertThat(missed).isLessThanOrEqualTo(2 + searches / 50);
        });
    }

    /** By brute force. */
    private static int longestMatch(int[] tokens, int count) {
        int longest = 0;
        for (int end = count - 1; end > 0; end--) {
            int length = 0;
            while (length < end && tokens[end - 1 - length] == tokens[count - 1 - length]) {
                length++;
            }
            longest = Math.max(longest, length);
        }
        return longest;
    }
}
