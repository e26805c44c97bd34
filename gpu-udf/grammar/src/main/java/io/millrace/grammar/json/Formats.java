package io.millrace.grammar.json;

import static java.util.Map.entry;
import static java.util.Objects.requireNonNull;

import java.util.Map;

/**
 * The formats that are regular, as regular expressions of the whole string.
 *
 * <p>Where a standard's language is not regular, or is read differently by different validators, this is a part of it
 * that they agree on: times have no leap second, at most nine digits of a second's fraction, and an offset of less than
 * 18 hours that is not {@code -00:00}; a host name has at most six labels of at most 41 characters; an e-mail address
 * has no quoted local part and no address literal; a URI's host is a name or an IPv4 address. Which top-level domains
 * there are today is not asked, though some validators ask it of e-mail addresses: an address of a network of one's own
 * is one as well.
 */
final class Formats {
    private static final String MONTH_DAY = "(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])"
            + "|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)"
            + "|02-(?:0[1-9]|1[0-9]|2[0-8]))";
    private static final String LEAP_YEAR =
            "(?:[0-9]{2}(?:0[48]|[2468][048]|[13579][26])|(?:[02468][048]|[13579][26])00)";
    private static final String DATE = "(?:[0-9]{4}-" + MONTH_DAY + "|" + LEAP_YEAR + "-02-29)";
    private static final String TIME = "(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\\.[0-9]{1,9})?"
            + "(?:Z|\\+(?:0[0-9]|1[0-7]):[0-5][0-9]" + "|-(?:00:(?:0[1-9]|[1-5][0-9])|(?:0[1-9]|1[0-7]):[0-5][0-9]))";

    private static final String OCTET = "(?:[0-9]|[1-9][0-9]|1[0-9]{2}|2[0-4][0-9]|25[0-5])";
    private static final String IPV4 = OCTET + "(?:\\." + OCTET + "){3}";
    private static final String H16 = "[0-9a-fA-F]{1,4}";
    private static final String LS32 = "(?:" + H16 + ":" + H16 + "|" + IPV4 + ")";
    private static final String IPV6 = "(?:(?:" + H16 + ":){6}" + LS32
            + "|::(?:" + H16 + ":){5}" + LS32
            + "|(?:" + H16 + ")?::(?:" + H16 + ":){4}" + LS32
            + "|(?:(?:" + H16 + ":){0,1}" + H16 + ")?::(?:" + H16 + ":){3}" + LS32
            + "|(?:(?:" + H16 + ":){0,2}" + H16 + ")?::(?:" + H16 + ":){2}" + LS32
            + "|(?:(?:" + H16 + ":){0,3}" + H16 + ")?::" + H16 + ":" + LS32
            + "|(?:(?:" + H16 + ":){0,4}" + H16 + ")?::" + LS32
            + "|(?:(?:" + H16 + ":){0,5}" + H16 + ")?::" + H16
            + "|(?:(?:" + H16 + ":){0,6}" + H16 + ")?::)";

    /** One label of a name: no hyphen at its ends, nor two of them in third and fourth place. */
    private static final String LABEL = "[A-Za-z0-9](?:[A-Za-z0-9]|[A-Za-z0-9-]{1,2}[A-Za-z0-9]"
            + "|[A-Za-z0-9-](?:[A-Za-z0-9][A-Za-z0-9-]|-[A-Za-z0-9])[A-Za-z0-9-]{0,36}[A-Za-z0-9])?";

    private static final String HOSTNAME = LABEL + "(?:\\." + LABEL + "){0,5}";

    /** A name whose last label begins with a letter, so that it cannot be taken for a number. */
    private static final String DOMAIN = LABEL + "(?:\\." + LABEL + "){0,4}\\.[A-Za-z]{2,24}";

    private static final String ATOM = "[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]{1,20}";
    private static final String EMAIL = ATOM + "(?:\\." + ATOM + "){0,2}@" + DOMAIN;

    private static final String PCHAR = "(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9a-fA-F]{2})";
    private static final String URI = "[A-Za-z][A-Za-z0-9+.-]{0,30}:"
            + "(?://(?:" + DOMAIN + "|localhost|" + IPV4 + ")(?::[0-9]{1,5})?(?:/" + PCHAR + "*)*"
            + "|/?" + PCHAR + "+(?:/" + PCHAR + "*)*)"
            + "(?:\\?(?:" + PCHAR + "|[/?])*)?(?:#(?:" + PCHAR + "|[/?])*)?";

    private static final String UUID = "[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}";

    private static final Map<String, String> EXPRESSIONS = Map.ofEntries(
            entry("date", DATE),
            entry("time", TIME),
            entry("date-time", DATE + "T" + TIME),
            entry("uuid", UUID),
            entry("ipv4", IPV4),
            entry("ipv6", IPV6),
            entry("hostname", HOSTNAME),
            entry("email", EMAIL),
            entry("uri", URI));

    private Formats() {}

    static boolean isKnown(String format) {
        return EXPRESSIONS.containsKey(format);
    }

    /** Returns the regular expression of a format's whole strings. */
    static String expression(String format) {
        return requireNonNull(EXPRESSIONS.get(format), format);
    }
}
