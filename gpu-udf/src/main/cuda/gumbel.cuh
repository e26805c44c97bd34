// The noise of sampling, bit for bit that of the Java class SamplingNoise: a counter-based generator of 64 bits
// (SplitMix64's finaliser) and Gumbel variates in doubles by the logarithms of fdlibm, which are Java's StrictMath.
//
// fdlibm's logarithms, as published with it: an argument is 2^k (1 + f) with sqrt(2)/2 < 1 + f < sqrt(2); with
// s = f / (2 + f), log(1 + f) = 2 s + s R, R a polynomial in s^2, and k log(2) is added in two parts. What makes the
// last bit is the order of the operations, so each is written alone and rounded by itself: nothing may be fused.
#pragma once

#include <stdint.h>

#include "layout.cuh"

namespace millrace {
namespace strict {

#ifdef __CUDA_ARCH__
MILLRACE_INDEX double product(double a, double b) {
    return __dmul_rn(a, b);
}
MILLRACE_INDEX double sum(double a, double b) {
    return __dadd_rn(a, b);
}
MILLRACE_INDEX double difference(double a, double b) {
    return __dsub_rn(a, b);
}
MILLRACE_INDEX double quotient(double a, double b) {
    return __ddiv_rn(a, b);
}
MILLRACE_INDEX int64_t double_bits(double value) {
    return __double_as_longlong(value);
}
MILLRACE_INDEX double bits_double(int64_t bits) {
    return __longlong_as_double(bits);
}
#else
// Compiled with -ffp-contract=off, or for a processor without fused instructions.
MILLRACE_INDEX double product(double a, double b) {
    return a * b;
}
MILLRACE_INDEX double sum(double a, double b) {
    return a + b;
}
MILLRACE_INDEX double difference(double a, double b) {
    return a - b;
}
MILLRACE_INDEX double quotient(double a, double b) {
    return a / b;
}
MILLRACE_INDEX int64_t double_bits(double value) {
    int64_t bits;
    __builtin_memcpy(&bits, &value, sizeof bits);
    return bits;
}
MILLRACE_INDEX double bits_double(int64_t bits) {
    double value;
    __builtin_memcpy(&value, &bits, sizeof value);
    return value;
}
#endif

/** The upper 32 bits: sign, exponent and 20 bits of the fraction. */
MILLRACE_INDEX int32_t high_word(double value) {
    return static_cast<int32_t>(double_bits(value) >> 32);
}

MILLRACE_INDEX double with_high_word(double value, int32_t high) {
    return bits_double(static_cast<int64_t>(high) << 32 | (double_bits(value) & 0xffffffffll));
}

constexpr double LOG2_HIGH = 6.93147180369123816490e-01;  // the last 21 bits are zero: exact times an exponent
constexpr double LOG2_LOW = 1.90821492927058770002e-10;

// The polynomial R in s^2.
constexpr double LOG_1 = 6.666666666666735130e-01;
constexpr double LOG_2 = 3.999999999940941908e-01;
constexpr double LOG_3 = 2.857142874366239149e-01;
constexpr double LOG_4 = 2.222219843214978396e-01;
constexpr double LOG_5 = 1.818357216161805012e-01;
constexpr double LOG_6 = 1.531383769920937332e-01;
constexpr double LOG_7 = 1.479819860511658591e-01;

/** a + x * b. */
MILLRACE_INDEX double step(double a, double x, double b) {
    return sum(a, product(x, b));
}

/** StrictMath.log of an argument that is not negative, and no NaN. */
MILLRACE_INDEX double strict_log(double x) {
    int32_t high = high_word(x);
    int32_t k = 0;
    if (high < 0x00100000) {
        if (x == 0.0) {
            return bits_double(static_cast<int64_t>(0xfff00000u) << 32);
        }
        k = -54;  // below the least normal number
        x = product(x, 18014398509481984.0);
        high = high_word(x);
    }
    if (high >= 0x7ff00000) {
        return x;
    }
    k += (high >> 20) - 1023;
    high &= 0x000fffff;
    int32_t half = (high + 0x95f64) & 0x100000;  // 1 + f is above sqrt(2): f is of half of it
    x = with_high_word(x, high | (half ^ 0x3ff00000));
    k += half >> 20;
    double f = difference(x, 1.0);
    double dk = static_cast<double>(k);
    if ((0x000fffff & (2 + high)) < 3) {  // |f| < 2^-20
        if (f == 0.0) {
            return k == 0 ? 0.0 : sum(product(dk, LOG2_HIGH), product(dk, LOG2_LOW));
        }
        double r = product(product(f, f), difference(0.5, product(0.33333333333333333, f)));
        return k == 0 ? difference(f, r)
                      : difference(product(dk, LOG2_HIGH), difference(difference(r, product(dk, LOG2_LOW)), f));
    }
    double s = quotient(f, sum(2.0, f));
    double z = product(s, s);
    double w = product(z, z);
    double even = product(w, step(LOG_2, w, step(LOG_4, w, LOG_6)));
    double odd = product(z, step(LOG_1, w, step(LOG_3, w, step(LOG_5, w, LOG_7))));
    double r = sum(odd, even);
    if (((high - 0x6147a) | (0x6b851 - high)) > 0) {
        double square = product(product(0.5, f), f);
        double tail = product(s, sum(square, r));
        return k == 0 ? difference(f, difference(square, tail))
                      : difference(product(dk, LOG2_HIGH),
                                   difference(difference(square, sum(tail, product(dk, LOG2_LOW))), f));
    }
    double tail = product(s, difference(f, r));
    return k == 0 ? difference(f, tail)
                  : difference(product(dk, LOG2_HIGH), difference(difference(tail, product(dk, LOG2_LOW)), f));
}

/** StrictMath.log1p of an argument that is not below -1, and no NaN. */
MILLRACE_INDEX double strict_log1p(double x) {
    int32_t high = high_word(x);
    int32_t magnitude = high & 0x7fffffff;
    int32_t k = 1;
    int32_t fraction = 1;  // of 1 + x; 0 where f is small
    double f = 0.0;
    double correction = 0.0;
    if (high < 0x3fda827a) {  // x < sqrt(2) - 1
        if (magnitude >= 0x3ff00000) {
            return bits_double(static_cast<int64_t>(0xfff00000u) << 32);
        }
        if (magnitude < 0x3e200000) {  // |x| < 2^-29
            return magnitude < 0x3c900000 ? x : difference(x, product(product(x, x), 0.5));
        }
        if (high > 0 || high <= static_cast<int32_t>(0xbfd2bec3)) {  // above sqrt(2)/2 - 1
            k = 0;
            f = x;
        }
    }
    if (high >= 0x7ff00000) {
        return x;
    }
    if (k != 0) {
        double u;
        if (high < 0x43400000) {
            u = sum(1.0, x);
            k = (high_word(u) >> 20) - 1023;
            correction = k > 0 ? difference(1.0, difference(u, x)) : difference(x, difference(u, 1.0));
            correction = quotient(correction, u);
        } else {
            u = x;
            k = (high_word(u) >> 20) - 1023;
        }
        fraction = high_word(u) & 0x000fffff;
        if (fraction < 0x6a09e) {
            u = with_high_word(u, fraction | 0x3ff00000);
        } else {
            k++;
            u = with_high_word(u, fraction | 0x3fe00000);
            fraction = (0x00100000 - fraction) >> 2;
        }
        f = difference(u, 1.0);
    }
    double dk = static_cast<double>(k);
    double square = product(product(0.5, f), f);
    if (fraction == 0) {  // |f| < 2^-20
        if (f == 0.0) {
            return k == 0 ? 0.0 : sum(product(dk, LOG2_HIGH), sum(correction, product(dk, LOG2_LOW)));
        }
        double r = product(square, difference(1.0, product(0.66666666666666666, f)));
        return k == 0 ? difference(f, r)
                      : difference(product(dk, LOG2_HIGH),
                                   difference(difference(r, sum(product(dk, LOG2_LOW), correction)), f));
    }
    double s = quotient(f, sum(2.0, f));
    double z = product(s, s);
    double r = step(LOG_4, z, step(LOG_5, z, step(LOG_6, z, LOG_7)));
    r = product(z, step(LOG_1, z, step(LOG_2, z, step(LOG_3, z, r))));
    double tail = product(s, sum(square, r));
    return k == 0 ? difference(f, difference(square, tail))
                  : difference(product(dk, LOG2_HIGH),
                               difference(difference(square, sum(tail, sum(product(dk, LOG2_LOW), correction))), f));
}

MILLRACE_INDEX uint64_t mix(uint64_t z) {
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
    return z ^ (z >> 31);
}

/** 53 uniform bits of a token under a row's key. */
MILLRACE_INDEX int64_t noise_bits(int64_t key, int token) {
    uint64_t counter = static_cast<uint64_t>(key) + (static_cast<uint64_t>(token) + 1) * 0x9E3779B97F4A7C15ull;
    return static_cast<int64_t>(mix(counter) >> 11);
}

/** The standard Gumbel variate that these bits stand for: -log(-log(1 - x)), x = (bits + 1/2) 2^-53. */
MILLRACE_INDEX double gumbel(int64_t bits) {
    double x = product(sum(static_cast<double>(bits), 0.5), 1.1102230246251565e-16);
    return -strict_log(-strict_log1p(-x));
}

/** No noise is larger. */
constexpr double NOISE_MAX = 37.5;

/** Whether the noise of these bits is surely below a bound; see the Java class for why. */
MILLRACE_INDEX bool noise_is_below(int64_t bits, double bound) {
    if (!(bound > 0.0)) {
        return false;
    }
    double k = difference(product(bound, 1.4426950408889634), 1e-6);
    return k >= 54.0 || bits >> (53 - static_cast<int>(k)) != 0;
}

}  // namespace strict
}  // namespace millrace
