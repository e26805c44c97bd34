package io.millrace.grammar.json;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.grammar.Dfa;
import io.millrace.grammar.GrammarLimits;
import io.millrace.grammar.json.Schema.Bound;
import io.millrace.kv.ServingException;
import io.millrace.kv.testing.Property;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Ranges of numbers, against arithmetic. */
class NumbersTest {
    private static Dfa between(@Nullable Bound least, @Nullable Bound most, boolean integer) {
        return Dfa.of(Numbers.between(least, most, integer), GrammarLimits.DEFAULT);
    }

    private static Bound bound(BigDecimal value, boolean exclusive) {
        return new Bound(value, exclusive, "here");
    }

    private static boolean isWithin(BigDecimal value, @Nullable Bound least, @Nullable Bound most) {
        boolean low = least == null || value.compareTo(least.value()) > (least.exclusive() ? 0 : -1);
        boolean high = most == null || value.compareTo(most.value()) < (most.exclusive() ? 0 : 1);
        return low && high;
    }

    @Test
    void allSmallRangesOfIntegers() {
        for (int low = -25; low <= 25; low++) {
            for (int high = low - 1; high <= 25; high++) {
                boolean lowOpen = (low & 1) == 0;
                boolean highOpen = high % 3 == 0;
                checkIntegers(bound(BigDecimal.valueOf(low), lowOpen), bound(BigDecimal.valueOf(high), highOpen), 130);
            }
            checkIntegers(bound(BigDecimal.valueOf(low), false), null, 300);
            checkIntegers(null, bound(BigDecimal.valueOf(low), true), 300);
        }
    }

    private static void checkIntegers(@Nullable Bound least, @Nullable Bound most, int around) {
        Dfa dfa = between(least, most, true);
        for (int value = -around; value <= around; value++) {
            assertThat(dfa.matches(Integer.toString(value)))
                    .as("%d between %s and %s", value, least, most)
                    .isEqualTo(isWithin(BigDecimal.valueOf(value), least, most));
        }
        assertThat(dfa.matches("-0")).isFalse();
        assertThat(dfa.matches("00")).isFalse();
        assertThat(dfa.matches("1.0")).isFalse();
    }

    @Test
    void allSmallRangesOfDecimals() {
        for (int low = -9; low <= 9; low++) {
            for (int high = low; high <= 9; high++) {
                Bound least = bound(BigDecimal.valueOf(low * 4L, 1), (low & 1) == 0);
                Bound most = bound(BigDecimal.valueOf(high * 4L + 1, 1), high % 3 == 0);
                Dfa dfa = between(least, most, false);
                for (int cents = -450; cents <= 450; cents += 1) {
                    checkDecimal(dfa, BigDecimal.valueOf(cents, 2), least, most);
                    if (cents % 10 == 0) {
                        checkDecimal(dfa, BigDecimal.valueOf(cents / 10, 1), least, most);
                    }
                    if (cents % 100 == 0) {
                        checkDecimal(dfa, BigDecimal.valueOf(cents / 100), least, most);
                    }
                }
            }
        }
    }

    private static void checkDecimal(Dfa dfa, BigDecimal value, @Nullable Bound least, @Nullable Bound most) {
        assertThat(dfa.matches(value.toPlainString()))
                .as("%s between %s and %s", value, least, most)
                .isEqualTo(isWithin(value, least, most));
    }

    @Test
    void largeRanges() {
        Property.forAll(77, 400, random -> {
            BigInteger first = new BigInteger(1 + random.nextInt(90), random);
            BigInteger second = new BigInteger(1 + random.nextInt(90), random).negate();
            boolean turned = random.nextBoolean();
            BigDecimal low = new BigDecimal(turned ? first : second);
            BigDecimal high = low.add(new BigDecimal(new BigInteger(1 + random.nextInt(60), random)));
            Bound least = bound(low, random.nextBoolean());
            Bound most = bound(high, random.nextBoolean());
            Dfa dfa = between(least, most, true);
            for (BigDecimal near : new BigDecimal[] {low, high, BigDecimal.ZERO, low.negate(), high.movePointLeft(1)}) {
                for (int step = -2; step <= 2; step++) {
                    BigDecimal value = new BigDecimal(near.toBigInteger()).add(BigDecimal.valueOf(step));
                    checkDecimal(dfa, value, least, most);
                }
            }
        });
    }

    @Test
    void fractionsKeepTheirSideOfALimitAsDoubles() {
        Random random = new Random(5);
        for (String limit : new String[] {"1", "0.1", "123.456", "99999.5"}) {
            BigDecimal value = new BigDecimal(limit);
            Dfa dfa = between(null, bound(value, true), false);
            String nines = value.subtract(new BigDecimal("1e-25")).toPlainString();
            for (int length = 1; length <= nines.length(); length++) {
                String text = nines.substring(0, length);
                if (dfa.matches(text)) {
                    assertThat(Double.parseDouble(text)).as(text).isLessThan(value.doubleValue());
                }
            }
            assertThat(dfa.matches(nines.substring(0, 8))).isTrue();
            assertThat(dfa.matches("-" + random.nextInt(1_000_000))).isTrue();
        }
    }

    @Test
    void limitsWithTooManyDigitsAreRefused() {
        assertThatThrownBy(() -> between(bound(new BigDecimal("1e40"), false), null, true))
                .isInstanceOf(ServingException.class)
                .hasMessageContaining("here");
        assertThatThrownBy(() -> between(null, bound(new BigDecimal("123456.1234567890123"), true), false))
                .isInstanceOf(ServingException.class);
        assertThat(between(bound(new BigDecimal("-1e300"), false), bound(new BigDecimal("1e300"), true), true)
                        .matches("-7"))
                .isTrue();
    }
}
