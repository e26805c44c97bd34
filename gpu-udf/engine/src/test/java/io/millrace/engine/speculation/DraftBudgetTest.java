package io.millrace.engine.speculation;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import org.junit.jupiter.api.Test;

class DraftBudgetTest {
    private static final int MAX_ROWS = 96;

    @Test
    void spendsNothingBeforeAnythingWasMeasured() {
        DraftBudget budget = new DraftBudget(new StepCosts(MAX_ROWS), 4, 32);
        assertThat(share(budget, 1, 32, 0.9)).containsExactly(0);
    }

    @Test
    void guessesAreLongWhereTheyComeTrueAndRowsAreCheap() {
        // 8 ms for a row, 2 ms for each further one.
        DraftBudget budget = new DraftBudget(costs(6_000_000, 2_000_000), 4, 32);
        assertThat(share(budget, 1, 32, 0.98)[0]).isBetween(12, 20);
        assertThat(share(budget, 1, 32, 0.8)[0]).isBetween(2, 4);
        assertThat(share(budget, 1, 32, 0.2)).containsExactly(0);
        assertThat(share(budget, 1, 3, 0.98)).containsExactly(3);
    }

    @Test
    void aRowGoesWhereItIsLikeliestToComeTrue() {
        DraftBudget budget = new DraftBudget(costs(6_000_000, 2_000_000), 4, 32);
        int[] lengths = share(budget, 3, 32, 0.95, 0.1, 0.8);
        assertThat(lengths[0]).isGreaterThan(lengths[2]);
        assertThat(lengths[1]).isZero();
        assertThat(lengths[2]).isPositive();
    }

    @Test
    void isOffWhereRowsCostWhatTheyBring() {
        DraftBudget budget = new DraftBudget(costs(0, 2_000_000), 4, 32);
        assertThat(share(budget, 4, 32, 0.95, 0.95, 0.95, 0.95)).containsOnly(0);
    }

    @Test
    void forgetsWhatAStepCostLongAgo() {
        StepCosts costs = new StepCosts(MAX_ROWS);
        costs.note(9, 900_000_000);
        for (int i = 0; i < 2000; i++) {
            costs.note(1, 8_000_000);
        }
        assertThat(costs.nanos(9)).isLessThan(100_000_000);
        assertThat(costs.nanos(1)).isEqualTo(8_000_000);
    }

    @Test
    void aModelThatIsOffIsTriedAgainMoreAndMoreRarely() {
        ModelLengths lengths = new ModelLengths(costs(6_000_000, 2_000_000), true);
        int tried = 0;
        for (int i = 0; i < 10_000; i++) {
            int length = lengths.next(1, 0.1, 8);
            lengths.note(length, length * 3_000_000L);
            tried += length > 0 ? 1 : 0;
        }
        assertThat(tried).isBetween(12, 60);
        // It says what the other says, and costs a tenth: it guesses all the time.
        ModelLengths good = new ModelLengths(costs(6_000_000, 500_000), true);
        for (int i = 0; i < 100; i++) {
            int length = good.next(1, 0.95, 8);
            assertThat(length).isPositive();
            good.note(length, length * 800_000L);
        }
    }

    @Test
    void ratesFollowWhatIsMeasured() {
        AcceptanceRates engine = AcceptanceRates.ofEngine();
        int many = AcceptanceRates.classOf(DrafterKind.LOOKUP, 20);
        int few = AcceptanceRates.classOf(DrafterKind.LOOKUP, 2);
        assertThat(engine.rate(many)).isGreaterThan(engine.rate(few));
        for (int i = 0; i < 500; i++) {
            engine.note(many, true);
        }
        assertThat(engine.rate(many)).isGreaterThan(0.98);
        AcceptanceRates sequence = engine.ofSequence();
        double before = sequence.rate(many);
        assertThat(before).isGreaterThan(0.98);
        for (int i = 0; i < 5; i++) {
            sequence.note(few, false);
        }
        // Where one kind of guess fails, the others are trusted less.
        assertThat(sequence.rate(many)).isLessThan(before);
        for (int i = 0; i < 20; i++) {
            sequence.note(many, false);
        }
        assertThat(sequence.rate(many)).isLessThan(0.2);
    }

    private static StepCosts costs(long baseNanos, long rowNanos) {
        StepCosts costs = new StepCosts(MAX_ROWS);
        for (int rows = 1; rows <= 64; rows++) {
            costs.note(rows, baseNanos + rows * rowNanos);
        }
        return costs;
    }

    /** What is shared among guesses of sixteen tokens whose tokens come true at these rates. */
    private static int[] share(DraftBudget budget, int guesses, int spareRows, double... rates) {
        double[][] chances = new double[guesses][24];
        int[] counts = new int[guesses];
        for (int i = 0; i < guesses; i++) {
            counts[i] = 24;
            double chance = 1;
            for (int j = 0; j < 24; j++) {
                chance *= rates[i];
                chances[i][j] = chance;
            }
        }
        return Arrays.copyOf(budget.share(chances, counts, guesses, guesses, spareRows), guesses);
    }
}
