package io.millrace.model;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class Float16Test {
    @Test
    void everyHalfComesBack() {
        for (int bits = 0; bits < 1 << 16; bits++) {
            float value = Float16.halfToFloat((short) bits);
            if (Float.isNaN(value)) {
                assertThat(Float.isNaN(Float16.halfToFloat(Float16.floatToHalf(value))))
                        .isTrue();
            } else {
                assertThat(Float16.floatToHalf(value)).isEqualTo((short) bits);
            }
        }
    }

    @Test
    void knownHalves() {
        assertThat(Float16.halfToFloat((short) 0x3C00)).isEqualTo(1f);
        assertThat(Float16.halfToFloat((short) 0xC000)).isEqualTo(-2f);
        assertThat(Float16.halfToFloat((short) 0x7BFF)).isEqualTo(65504f);
        assertThat(Float16.halfToFloat((short) 0x0001)).isEqualTo(0x1p-24f);
        assertThat(Float16.halfToFloat((short) 0x03FF)).isEqualTo(0x3FFp-24f);
        assertThat(Float16.halfToFloat((short) 0x7C00)).isEqualTo(Float.POSITIVE_INFINITY);
        assertThat(Float16.floatToHalf(65519.9f)).isEqualTo((short) 0x7BFF);
        assertThat(Float16.floatToHalf(65520f)).isEqualTo((short) 0x7C00);
        assertThat(Float16.floatToHalf(Float.MAX_VALUE)).isEqualTo((short) 0x7C00);
        assertThat(Float16.floatToHalf(0x1p-25f)).isEqualTo((short) 0);
        assertThat(Float16.floatToHalf(0x1.000002p-25f)).isEqualTo((short) 1);
        assertThat(Float16.floatToHalf(-0f)).isEqualTo((short) 0x8000);
    }

    @Test
    void roundsToTheNearestHalfAndTiesToEven() {
        SplittableRandom random = new SplittableRandom(17);
        for (int i = 0; i < 200_000; i++) {
            int low = random.nextInt(0x7BFF);
            double below = Float16.halfToFloat((short) low);
            double above = Float16.halfToFloat((short) (low + 1));
            float value = (float) (below + (above - below) * random.nextDouble());
            double down = value - below;
            double up = above - value;
            int expected = down < up || (down == up && low % 2 == 0) ? low : low + 1;
            assertThat(Float16.floatToHalf(value)).as("%s", value).isEqualTo((short) expected);
            float middle = (float) ((below + above) / 2);
            assertThat(Float16.floatToHalf(middle)).as("%s", middle).isEqualTo((short) (low + low % 2));
        }
    }

    @Test
    void bfloatsRoundToEven() {
        assertThat(Float16.floatToBfloat(1f)).isEqualTo((short) 0x3F80);
        assertThat(Float16.bfloatToFloat((short) 0xC040)).isEqualTo(-3f);
        assertThat(Float16.floatToBfloat(Float.intBitsToFloat(0x3F80_8000))).isEqualTo((short) 0x3F80);
        assertThat(Float16.floatToBfloat(Float.intBitsToFloat(0x3F81_8000))).isEqualTo((short) 0x3F82);
        assertThat(Float.isNaN(Float16.bfloatToFloat(Float16.floatToBfloat(Float.NaN))))
                .isTrue();
    }
}
